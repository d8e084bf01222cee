# The toolchain file for WebAssembly: Zig's Clang (pip install ziglang) for programs that run where
# there is WASI, such as in Node, on one thread and with SIMD.
#
# PRIMER_ZIG, also as an environment variable, is the command of Zig's Clang.

set(CMAKE_SYSTEM_NAME Generic)  # or CMake warns of a system that it does not know
set(CMAKE_SYSTEM_PROCESSOR wasm32)

if(NOT PRIMER_ZIG)
  set(PRIMER_ZIG $ENV{PRIMER_ZIG})
endif()
if(NOT PRIMER_ZIG)
  set(PRIMER_ZIG "python3 -m ziglang c++")
endif()
set(PRIMER_ZIG ${PRIMER_ZIG} CACHE STRING "The command of Zig's Clang")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PRIMER_ZIG PRIMER_WASM_RUNTIME)
separate_arguments(CMAKE_CXX_COMPILER UNIX_COMMAND "${PRIMER_ZIG}")
set(zig ${CMAKE_CXX_COMPILER})
list(POP_BACK zig)

set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
# Exceptions in the older of WebAssembly's two forms, which every engine knows. Files and threads are
# settings of the C++ library below: Zig leaves both out. WASI has files, and its C library has all
# functions of threads, but creates none.
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fwasm-exceptions -mexception-handling -U_LIBCPP_HAS_FILESYSTEM -D_LIBCPP_HAS_FILESYSTEM=1 \
-U_LIBCPP_HAS_THREADS -D_LIBCPP_HAS_THREADS=1 -D_LIBCPP_HAS_THREAD_API_PTHREAD=1")
list(JOIN zig " " archiver)
set(CMAKE_CXX_ARCHIVE_CREATE "${archiver} ar qcs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "${archiver} ar qs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # the library below is not there yet
# No library of this system will do; headers will, if somebody asks for them.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_CURRENT_LIST_DIR}/wasm)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_SYSTEM_PREFIX_PATH /usr/local /usr /opt/homebrew)
set(CMAKE_CROSSCOMPILING_EMULATOR node --no-warnings ${CMAKE_CURRENT_LIST_DIR}/wasm/run.mjs)

# Zig's own C++ library for WebAssembly aborts where it should throw. So it is made once more, from
# the sources that come with Zig.
get_property(trying GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT trying AND NOT PRIMER_WASM_RUNTIME)
  execute_process(COMMAND ${zig} env WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
  if(NOT code EQUAL 0 OR NOT said MATCHES "lib_dir\"? *[=:] *\"([^\"]*)\"")
    message(FATAL_ERROR "There is no Zig (pip install ziglang); PRIMER_ZIG names the command of its Clang, which is now "
                        "${PRIMER_ZIG}: ${said}")
  endif()
  # Zig below the folder in which it runs names its library relative to that folder.
  get_filename_component(zig_lib "${CMAKE_MATCH_1}" ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
  set(runtime ${CMAKE_BINARY_DIR}/wasm-runtime)
  if(NOT EXISTS ${runtime}/libcxx.a)
    message(STATUS "Making the C++ library for WebAssembly, which takes a minute")
  endif()
  set(configure -S ${CMAKE_CURRENT_LIST_DIR}/wasm -B ${runtime} -G ${CMAKE_GENERATOR} -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_TOOLCHAIN_FILE=${CMAKE_CURRENT_LIST_FILE} -DPRIMER_WASM_RUNTIME=none -DPRIMER_ZIG=${PRIMER_ZIG}
    -DZIG_LIB=${zig_lib})
  set(build --build ${runtime})
  foreach(step configure build)
    execute_process(COMMAND ${CMAKE_COMMAND} ${${step}} OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
      message(FATAL_ERROR "${said}")
    endif()
  endforeach()
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib++")
  set(CMAKE_EXE_LINKER_FLAGS_RELEASE_INIT "-s")  # or programs are ten times as large
  set(CMAKE_CXX_STANDARD_LIBRARIES "${runtime}/libcxx.a")
endif()
# SPDX-License-Identifier: MIT
