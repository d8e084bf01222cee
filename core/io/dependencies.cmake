# The libraries that Primer uses. Each is used from the oldest version that is safe and tested; in
# place of an older one, the version named here is downloaded, by its hash. docs/building.md lists
# them. All that are neither here nor to be had are named in one message.
#
# Sets NAME_include, for headers, to the folder that has them.

set(dependencies_dir ${PROJECT_BINARY_DIR}/_deps)
set(dependencies_file ${CMAKE_CURRENT_LIST_DIR}/dependencies.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${dependencies_file})
set(dependencies_to_download "")  # those that are not here
set(dependencies_said "")         # what the message says of them

#   header_version(RESULT FILE)
#
# sets RESULT to the version that FILE defines as ..._VERSION_MAJOR and so on, or, as stb's headers
# do, states in its first line; 0 if none or no such file.
function(header_version result file)
  set(version 0)
  if(EXISTS ${file})
    file(STRINGS ${file} lines REGEX "^(#define [A-Z0-9]+_VERSION_(MAJOR|MINOR|PATCH) |/\\* stb_[a-z_]+ - v)[0-9.]+" LIMIT_COUNT 3)
    string(REGEX MATCHALL " v?[0-9][0-9.]*" numbers "${lines}")
    string(REGEX REPLACE "[ v]" "" numbers "${numbers}")
    list(JOIN numbers . version)
  endif()
  set(${result} ${version} PARENT_SCOPE)
endfunction()

#   to_download(NAME WHAT URL HASH FOLDER)
#
# notes that NAME is to be downloaded; WHAT says so in the message. Its headers are in FOLDER.
macro(to_download name what url hash folder)
  list(APPEND dependencies_to_download ${name})
  string(APPEND dependencies_said "    ${what}\n")
  set(${name}_url ${url})
  set(${name}_hash ${hash})
  set(${name}_include ${dependencies_dir}/${folder})
endmacro()

#   header_library(NAME FOR what HEADER file [VERSION_IN file] FROM version [BELOW version]
#                  URL url SHA256 hash FOLDER folder IN folder)
#
# finds a library of headers only. FOLDER is the top one of the download, IN that of the headers in
# it; FETCHCONTENT_SOURCE_DIR_<NAME> stands for the former, as with CMake's FetchContent.
macro(header_library name)
  cmake_parse_arguments(LIB "" "FOR;HEADER;VERSION_IN;FROM;BELOW;URL;SHA256;FOLDER;IN" "" ${ARGN})
  string(TOUPPER ${name} upper)
  if(PRIMER_${upper}_INCLUDE AND NOT EXISTS ${PRIMER_${upper}_INCLUDE}/${LIB_HEADER})
    unset(PRIMER_${upper}_INCLUDE CACHE)  # gone since the last time
  endif()
  # Headers suit every processor: this machine's will do when we compile for another.
  find_path(PRIMER_${upper}_INCLUDE ${LIB_HEADER} CMAKE_FIND_ROOT_PATH_BOTH DOC "Folder with ${LIB_HEADER}")
  header_version(${name}_version ${PRIMER_${upper}_INCLUDE}/${LIB_VERSION_IN})
  if(NOT LIB_BELOW)
    set(LIB_BELOW 1000)
  endif()
  if(FETCHCONTENT_SOURCE_DIR_${upper})
    set(${name}_include ${FETCHCONTENT_SOURCE_DIR_${upper}}/${LIB_IN})
  elseif(${name}_version VERSION_GREATER_EQUAL LIB_FROM AND ${name}_version VERSION_LESS LIB_BELOW)
    get_filename_component(folder ${LIB_HEADER} DIRECTORY)
    headers_for_target(${name} ${PRIMER_${upper}_INCLUDE} ${folder})
  else()
    set(what "${name} ${LIB_FROM} or newer, for ${LIB_FOR}")
    if(PRIMER_${upper}_INCLUDE)
      string(APPEND what " (${PRIMER_${upper}_INCLUDE} has ${${name}_version})")
    endif()
    to_download(${name} "${what}" ${LIB_URL} ${LIB_SHA256} ${LIB_FOLDER}/${LIB_IN})
  endif()
endmacro()

#   headers_for_target(NAME PATH ENTRY...)
#
# sets NAME_include to PATH. When we compile for another system, to a folder with these entries
# alone: the same folder may hold this system's C library.
function(headers_for_target name path)
  if(CMAKE_CROSSCOMPILING)
    list(TRANSFORM ARGN PREPEND ${path}/ OUTPUT_VARIABLE entries)
    file(COPY ${entries} DESTINATION ${dependencies_dir}/${name})
    set(path ${dependencies_dir}/${name})
  endif()
  set(${name}_include ${path} PARENT_SCOPE)
endfunction()

# --- what core/io needs ----------------------------------------------------------------------------

set(PRIMER_LIBJPEG OFF)
if(PRIMER_IO)
  # Checkpoints are written with cereal: headers only, which one source file includes, so nobody who
  # uses the library needs them.
  header_library(cereal FOR checkpoints HEADER cereal/cereal.hpp VERSION_IN cereal/version.hpp
    FROM 1.3.1  # before: CVE-2020-11104, CVE-2020-11105
    URL https://github.com/USCiLab/cereal/archive/refs/tags/v1.3.2.tar.gz
    SHA256 16a7ad9b31ba5880dac55d62b5d6f243c3ebc8d46a3514149e56b5e7ea81f85f
    FOLDER cereal-1.3.2 IN include)
  # TensorBoard's event files with protozero: headers only, too.
  header_library(protozero FOR "TensorBoard's files" HEADER protozero/pbf_builder.hpp VERSION_IN protozero/version.hpp
    FROM 1.7  # fixes undefined behaviour of 1.6. (1.8.1 fixes the reader of booleans; we only write.)
    BELOW 2
    URL https://github.com/mapbox/protozero/archive/refs/tags/v1.7.1.tar.gz
    SHA256 27e0017d5b3ba06d646a3ec6391d5ccc8500db821be480aefd2e4ddc3de5ff99
    FOLDER protozero-1.7.1 IN include)

  # Pictures with stb_image; headers only, too, which say their version in their first line. Its JPEG
  # decoder writes out of bounds before 2.30 (CVE-2021-37789, CVE-2022-28041, -28042, -28048): with an
  # older one, such as Debian 12's 2.27, JPEG is read by libjpeg-turbo and that decoder is left out.
  # PNG, BMP, PGM and PPM are sound from 2.27 on; the formats of its other reports (GIF, HDR, PIC) are
  # never compiled. libjpeg-turbo must be 2.1 or newer (CVE-2021-29390). stb_image_write has no such
  # reports; before 1.11 it read beyond pictures that it wrote as JPEG, which we do not, and 1.16 is the
  # one that came with stb_image 2.27.
  set(stb_source https://raw.githubusercontent.com/nothings/stb/013ac3beddff3dbffafd5177e7972067cd2b5083)
  set(stb_image_write_sha256 cbd5f0ad7a9cf4468affb36354a1d2338034f2c12473cf1a8e32053cb6914a05)
  set(stb_image_sha256 594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3)  # 2.30
  find_path(PRIMER_STB_INCLUDE stb_image.h PATH_SUFFIXES stb CMAKE_FIND_ROOT_PATH_BOTH DOC "Folder with stb_image.h")
  header_version(stb_version ${PRIMER_STB_INCLUDE}/stb_image.h)
  header_version(stb_write_version ${PRIMER_STB_INCLUDE}/stb_image_write.h)
  set(stb_found ${stb_version})
  if(stb_write_version VERSION_LESS 1.16)
    set(stb_version 0)  # we take both from one place
  endif()
  if(stb_version VERSION_GREATER_EQUAL 2.27 AND stb_version VERSION_LESS 2.30)
    find_package(JPEG QUIET)
    if(JPEG_FOUND)
      include(CheckCXXSourceCompiles)
      set(CMAKE_REQUIRED_INCLUDES ${JPEG_INCLUDE_DIRS})
      check_cxx_source_compiles("#include <cstdio>
#include <jpeglib.h>
#if !defined(LIBJPEG_TURBO_VERSION_NUMBER) || LIBJPEG_TURBO_VERSION_NUMBER < 2001000
#error
#endif
int main() {}" PRIMER_LIBJPEG_TURBO_FOUND)
      unset(CMAKE_REQUIRED_INCLUDES)
      set(PRIMER_LIBJPEG ${PRIMER_LIBJPEG_TURBO_FOUND})
    endif()
  endif()
  if(FETCHCONTENT_SOURCE_DIR_STB)
    set(stb_include ${FETCHCONTENT_SOURCE_DIR_STB})
    set(PRIMER_LIBJPEG OFF)
    header_version(stb_version ${stb_include}/stb_image.h)
    if(stb_version VERSION_LESS 2.30)
      message(FATAL_ERROR "FETCHCONTENT_SOURCE_DIR_STB: expected stb_image 2.30 or newer, found ${stb_version}")
    endif()
  elseif(stb_version VERSION_GREATER_EQUAL 2.30 OR PRIMER_LIBJPEG)
    headers_for_target(stb ${PRIMER_STB_INCLUDE} stb_image.h stb_image_write.h)
  else()
    set(what "stb_image 2.30 or newer, or 2.27 with libjpeg-turbo 2.1 or newer, for pictures")
    if(PRIMER_STB_INCLUDE)
      string(APPEND what " (${PRIMER_STB_INCLUDE} has ${stb_found})")
    endif()
    to_download(stb "${what}" ${stb_source} "" stb-2.30)
  endif()

  # PNG files are packed by zlib, if there is one, and otherwise by stb_image_write itself, whose files
  # are a third larger. Before 1.2.12, zlib wrote out of bounds (CVE-2018-25032).
  find_package(ZLIB 1.2.12 QUIET)
endif()

# --- what programs need ----------------------------------------------------------------------------

if(PRIMER_EXAMPLES OR PRIMER_BENCHMARKS)
  # Parses the flags; it reads only what its user types. Older ones are not tested.
  header_library(CLI11 FOR "the examples and benchmarks" HEADER CLI/CLI.hpp VERSION_IN CLI/Version.hpp
    FROM 2.1 BELOW 3
    URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.5.0.tar.gz
    SHA256 17e02b4cddc2fa348e5dbdbb582c59a3486fa2b2433e70a0c3bacb871334fd55
    FOLDER CLI11-2.5.0 IN include)
endif()
if(PRIMER_TESTS)
  # The test framework, which reads nothing from outside. Older ones are not tested.
  header_library(doctest FOR "the tests" HEADER doctest/doctest.h VERSION_IN doctest/doctest.h
    FROM 2.4.9 BELOW 3
    URL https://github.com/doctest/doctest/archive/refs/tags/v2.4.12.tar.gz
    SHA256 73381c7aa4dee704bd935609668cf41880ea7f19fa0504a200e13b74999c2d70
    FOLDER doctest-2.4.12 IN .)
endif()
if(PRIMER_BENCHMARKS AND PRIMER_KERNEL_BENCHMARKS)
  find_package(benchmark 1.6 QUIET)  # the oldest version with everything that we call
  if(FETCHCONTENT_SOURCE_DIR_BENCHMARK)
    set(benchmark_include ${FETCHCONTENT_SOURCE_DIR_BENCHMARK})
  elseif(NOT benchmark_FOUND)
    to_download(benchmark "Google Benchmark 1.6 or newer, for the benchmark of the kernels"
      https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
      6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7 benchmark-1.7.1)
  endif()
endif()

# --- downloading -----------------------------------------------------------------------------------

# Sets RESULT to what is wrong, or "". CMake's own FetchContent would wait for minutes.
function(download result url file hash seconds)
  file(DOWNLOAD ${url} ${file} TIMEOUT ${seconds} STATUS status)
  list(POP_FRONT status code)
  if(code EQUAL 0 AND hash)
    file(SHA256 ${file} found)
    if(NOT found STREQUAL hash)
      set(code 1)
      set(status "expected the SHA-256 ${hash}, got ${found}")
    endif()
  endif()
  if(NOT code EQUAL 0)
    file(REMOVE ${file})
    set(${result} "${url}: ${status}" PARENT_SCOPE)
  else()
    set(${result} "" PARENT_SCOPE)
  endif()
endfunction()

function(download_libraries result)
  set(failed "")
  set(probe ${dependencies_dir}/probe)  # a small file first: whether there is a network at all
  foreach(name ${dependencies_to_download})
    if(EXISTS ${${name}_include})
      continue()
    endif()
    if(NOT failed AND probe)
      download(failed https://raw.githubusercontent.com/nothings/stb/master/README.md ${probe} "" 3)
      file(REMOVE ${probe})
      set(probe "")
    endif()
    if(NOT failed AND name STREQUAL stb)
      foreach(header stb_image stb_image_write)
        if(NOT failed)
          download(failed ${stb_url}/${header}.h ${dependencies_dir}/${header}.h ${${header}_sha256} 60)
        endif()
      endforeach()
      if(NOT failed)
        file(COPY ${dependencies_dir}/stb_image.h ${dependencies_dir}/stb_image_write.h DESTINATION ${stb_include})
      endif()
    elseif(NOT failed)
      set(archive ${dependencies_dir}/${name}.tar.gz)
      download(failed ${${name}_url} ${archive} ${${name}_hash} 120)
      if(NOT failed)
        file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${dependencies_dir})
      endif()
    endif()
  endforeach()
  set(${result} "${failed}" PARENT_SCOPE)
endfunction()

# Sets RESULT to a line for each package manager: how it installs what is missing.
function(install_commands result)
  set(names ${dependencies_to_download})
  if(stb IN_LIST names)
    list(APPEND names libjpeg)
  endif()
  set(managers "Debian, Ubuntu" "apt install" Fedora "dnf install" Arch "pacman -S" openSUSE "zypper install"
      Alpine "apk add" Homebrew "brew install" vcpkg "vcpkg install")
  file(STRINGS ${dependencies_file} lines REGEX "^(library|benchmark) ")
  set(text "")
  foreach(column RANGE 3 9)
    set(packages "")
    foreach(line ${lines})
      string(REGEX REPLACE " +" ";" cells "${line}")
      list(GET cells 1 name)
      list(GET cells ${column} package)
      if(name IN_LIST names AND NOT package STREQUAL "-")
        string(APPEND packages " ${package}")
      endif()
    endforeach()
    list(POP_FRONT managers system command)
    string(LENGTH "${system}" length)
    math(EXPR blanks "16 - ${length}")
    string(REPEAT " " ${blanks} blanks)
    if(packages)
      string(APPEND text "    ${system}${blanks}${command}${packages}\n")
    endif()
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

if(dependencies_to_download)
  download_libraries(failed)
  if(failed)
    install_commands(commands)
    list(GET dependencies_to_download 0 first)
    string(TOUPPER ${first} upper)
    set(without "-DPRIMER_TESTS=OFF -DPRIMER_EXAMPLES=OFF -DPRIMER_BENCHMARKS=OFF leave out what needs them.")
    if(dependencies_to_download MATCHES "cereal|protozero|stb")
      set(without "-DPRIMER_IO=OFF builds the library without checkpoints, pictures and TensorBoard's files, and \
without tests and programs; it needs no other library.")
    endif()
    message(FATAL_ERROR
"Primer needs these, which are not on this machine:

${dependencies_said}
Downloading them failed:
    ${failed}

Install them, and configure again:

${commands}
Without root or network: the sources of one can be anywhere, as in \
-DFETCHCONTENT_SOURCE_DIR_${upper}=FOLDER (${${first}_url}); -DCMAKE_PREFIX_PATH=FOLDER names where \
libraries are installed. ${without}
")
  endif()
endif()
# SPDX-License-Identifier: MIT
