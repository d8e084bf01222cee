# The toolchain file for other systems by Zig's Clang (pip install ziglang), which brings their
# headers and libraries. PRIMER_ZIG_TARGET names the system as Zig does, such as x86_64-windows-gnu;
# PRIMER_ZIG, also as an environment variable, is the command of Zig's Clang.

if(NOT PRIMER_ZIG)
  set(PRIMER_ZIG $ENV{PRIMER_ZIG})
endif()
if(NOT PRIMER_ZIG)
  set(PRIMER_ZIG "python3 -m ziglang c++")
endif()
set(PRIMER_ZIG ${PRIMER_ZIG} CACHE STRING "The command of Zig's Clang")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PRIMER_ZIG PRIMER_ZIG_TARGET)

string(REGEX MATCH "^([^-]+)-([^-]+)" match "${PRIMER_ZIG_TARGET}")
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_MATCH_1})
set(systems "linux;windows;macos;freebsd")
set(names "Linux;Windows;Darwin;FreeBSD")
list(FIND systems "${CMAKE_MATCH_2}" which)
if(which EQUAL -1)
  message(FATAL_ERROR "PRIMER_ZIG_TARGET: expected a name such as x86_64-windows-gnu, for one of the systems ${systems}; "
                      "found '${PRIMER_ZIG_TARGET}'")
endif()
list(GET names ${which} CMAKE_SYSTEM_NAME)

separate_arguments(CMAKE_CXX_COMPILER UNIX_COMMAND "${PRIMER_ZIG}")
set(zig ${CMAKE_CXX_COMPILER})
list(POP_BACK zig)
list(JOIN zig " " zig)
set(CMAKE_CXX_COMPILER_TARGET ${PRIMER_ZIG_TARGET})
set(CMAKE_CXX_ARCHIVE_CREATE "${zig} ar qcs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "${zig} ar qs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
# Only headers that suit every system are taken from this one.
foreach(what LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${what} ONLY)
endforeach()
# SPDX-License-Identifier: MIT
