# SPDX-License-Identifier: Apache-2.0
# How everything is compiled: standard, warnings, sanitizers, linker, cache, output folders.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/plugins")

set(CYBERBACKUP_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
option(CYBERBACKUP_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(CYBERBACKUP_FUZZ_FAST "Build them optimised: takes longer, and each input then takes a third of the time" OFF)
option(CYBERBACKUP_UNITY
       "Compile several files of a library or program at once, headers of tests beforehand: in half of the time" OFF)
option(CYBERBACKUP_TRIALS
       "For trials of crash safety: processes die at named steps, protections can be left out. Never for users" OFF)
option(CYBERBACKUP_COVERAGE "Count which lines of libraries, plugins and programs run (gcc). Never for users" OFF)
option(CYBERBACKUP_WHOLE_TESTS "Run each test program once, not once for each of its tests" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths relative to the tree, so that clones share results; the sloppiness that ccache's manual asks
  # for with precompiled headers.
  set(launcher "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
      "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
                    "$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>")
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")

if(CYBERBACKUP_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The cache asks for this with precompiled headers.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>")
  # A file's own types are no danger where several files are compiled as one.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>")
endif()
if(CYBERBACKUP_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # So does it here.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
if(CYBERBACKUP_SANITIZE)
  add_compile_options(-fsanitize=${CYBERBACKUP_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${CYBERBACKUP_SANITIZE})
  if(CYBERBACKUP_SANITIZE MATCHES undefined)
    # The check of virtual tables opens a pipe to look at memory, and so fails in tests that leave the
    # process without descriptors.
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # Clang 14 cannot compile coroutines with this check.
      add_compile_options(-fno-sanitize=function)
      # As gcc says it; tests ask for it.
      add_compile_definitions(__SANITIZE_ADDRESS__=1)
    endif()
  endif()
  if(CYBERBACKUP_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
    if(CYBERBACKUP_FUZZ_FAST)
      add_compile_options(-O1)
    endif()
  endif()
else()
  add_compile_options(-fstack-protector-strong)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i[3-6]86)$")
    add_compile_options(-fcf-protection)
  endif()
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # What users run; scripts/hardening looks for it in the files.
    add_compile_definitions(_FORTIFY_SOURCE=3)
    add_compile_options(-fstack-clash-protection)
  endif()
endif()

if(CYBERBACKUP_COVERAGE)
  add_link_options(--coverage)
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed)

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
