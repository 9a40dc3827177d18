# SPDX-License-Identifier: Apache-2.0
# The few kinds of targets this project has.

# What users run (programs and plugins), and the fuzz targets, each to be built as a whole.
add_custom_target(products)
add_custom_target(fuzz_targets)

# Where the preset says so, files whose names begin alike are compiled as one, in a third of the time: by their
# first letter, those of a protocol's version by the letter after it. So a new file moves no other one. Each
# compiles alone, too: the dev preset shows that.
function(cyberbackup_unite name)
  if(NOT CYBERBACKUP_UNITY)
    return()
  endif()
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${name} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(file "${source}" NAME)
    string(REGEX MATCH "^(v[0-9]_.|.)" group "${file}")
    if(source MATCHES "\\.cpp$")
      set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${group}")
    endif()
  endforeach()
endfunction()

# cyberbackup_library(base SOURCES a.cpp DEPENDS cyberbackup::x PRIVATE_DEPENDS y)
# A static library cyberbackup_<name> with alias cyberbackup::<name>. Includes are relative to the top.
function(cyberbackup_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(cyberbackup_${name} STATIC ${ARG_SOURCES})
  add_library(cyberbackup::${name} ALIAS cyberbackup_${name})
  target_include_directories(cyberbackup_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(cyberbackup_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
  cyberbackup_unite(cyberbackup_${name})
endfunction()

# The headers that nearly every test begins with, compiled once where the preset is for speed.
function(cyberbackup_test_headers)
  if(NOT CYBERBACKUP_UNITY)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(cyberbackup_precompiled EXCLUDE_FROM_ALL tests/precompiled.cpp)
  target_include_directories(cyberbackup_precompiled PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(cyberbackup_precompiled PRIVATE GTest::gmock GTest::gtest)
  target_precompile_headers(
    cyberbackup_precompiled PRIVATE <gmock/gmock.h> <gtest/gtest.h> <algorithm> <atomic> <chrono> <filesystem>
    <fstream> <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <string> <thread> <vector>
    "${PROJECT_SOURCE_DIR}/core/base/result.h")
endfunction()

# cyberbackup_test(base_test SOURCES a_test.cpp DEPENDS cyberbackup::base [LABELS slow] [EACH])
# A GoogleTest program; each TEST becomes one ctest entry. Where the preset says so the whole program is
# one entry: a sanitizer takes longer to start a program than most tests take. EACH is for a program whose
# tests take long and have nothing in common: they stay entries. tests/folders.h tells it where data,
# plugins and programs are.
function(cyberbackup_test name)
  cmake_parse_arguments(ARG "EACH" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} cyberbackup_folders GTest::gmock GTest::gtest
                                        GTest::gtest_main)
  if(TARGET cyberbackup_precompiled)
    target_precompile_headers(${name} REUSE_FROM cyberbackup_precompiled)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(CYBERBACKUP_WHOLE_TESTS AND NOT ARG_EACH)
    math(EXPR patience "${ARG_TIMEOUT} * 5")
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${patience} LABELS "${ARG_LABELS}")
    return()
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

# cyberbackup_program(cyberbackupd SOURCES main.cpp DEPENDS cyberbackup::server)
function(cyberbackup_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS})
  cyberbackup_unite(${name})
  install(TARGETS ${name} RUNTIME DESTINATION bin)
  add_dependencies(products ${name})
endfunction()

# cyberbackup_fuzz(header SOURCES header_fuzz.cpp DEPENDS cyberbackup::protocol [CORPUS dir] [SECONDS n] [PLUGINS])
# A libFuzzer target fuzz_<name> in the fuzz preset, with a ctest entry that runs its seeds, which lie in
# tests/fuzz/<name> unless CORPUS says otherwise, and searches a few seconds more. PLUGINS: it loads the plugins of
# this tree. Elsewhere nothing. `scripts/fuzz` finds targets and corpora by build/fuzz/fuzz/targets.
function(cyberbackup_fuzz name)
  cmake_parse_arguments(ARG "PLUGINS" "CORPUS;SECONDS" "SOURCES;DEPENDS" ${ARGN})
  if(NOT CYBERBACKUP_FUZZ)
    return()
  endif()
  if(NOT ARG_CORPUS)
    set(ARG_CORPUS "${PROJECT_SOURCE_DIR}/tests/fuzz/${name}")
  endif()
  if(NOT ARG_SECONDS)
    set(ARG_SECONDS 6)
  endif()
  add_executable(fuzz_${name} ${ARG_SOURCES})
  add_dependencies(fuzz_targets fuzz_${name})
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPENDS})
  if(ARG_PLUGINS)
    # Plugins find the fuzzer's functions in the program.
    target_link_options(fuzz_${name} PRIVATE -rdynamic)
    add_dependencies(fuzz_${name} compress-zstd crypto-legacy crypto-modern store-fs transport-tcp transport-tls)
  endif()
  set_property(GLOBAL APPEND PROPERTY CYBERBACKUP_FUZZ_LIST "${name} ${ARG_CORPUS}")
  # One seed and no inputs of earlier runs, so that the same code gives the same verdict everywhere;
  # fuzz_<name> by itself searches anew.
  set(grown "${CMAKE_BINARY_DIR}/fuzz/grown-${name}")
  add_test(NAME fuzz.${name}
           COMMAND sh -c "rm -rf '${grown}' && mkdir -p '${grown}' && exec '$<TARGET_FILE:fuzz_${name}>' -seed=1 \
-runs=30000 -max_total_time=${ARG_SECONDS} -print_final_stats=1 -artifact_prefix='${CMAKE_BINARY_DIR}/fuzz/' '${grown}' '${ARG_CORPUS}'")
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()

# Writes down which fuzz targets there are: a line for each, its name and the folder of its seeds. Call it last.
function(cyberbackup_list_fuzz_targets)
  if(NOT CYBERBACKUP_FUZZ)
    return()
  endif()
  get_property(all GLOBAL PROPERTY CYBERBACKUP_FUZZ_LIST)
  list(SORT all)
  list(JOIN all "\n" lines)
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz/targets" "${lines}\n")
endfunction()

# Where the preset says so, lines of libraries, plugins and programs count how often they run; those of tests do not,
# and compile as elsewhere. Threads count together, and paths stay whole, so that gcov finds the sources. Call it last.
function(cyberbackup_count_lines)
  if(NOT CYBERBACKUP_COVERAGE)
    return()
  endif()
  file(GLOB folders LIST_DIRECTORIES ON "${PROJECT_SOURCE_DIR}/core/*" "${PROJECT_SOURCE_DIR}/plugins/*"
       "${PROJECT_SOURCE_DIR}/hosts/*")
  foreach(folder IN LISTS folders)
    get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
      get_target_property(type ${target} TYPE)
      if(type MATCHES "_LIBRARY$|EXECUTABLE" AND NOT type STREQUAL "INTERFACE_LIBRARY"
         AND NOT target MATCHES "_(test|suite|fixture|messages)$")
        target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic -g1
                               "-fprofile-prefix-map=${PROJECT_SOURCE_DIR}=${PROJECT_SOURCE_DIR}")
      endif()
    endforeach()
  endforeach()
endfunction()
