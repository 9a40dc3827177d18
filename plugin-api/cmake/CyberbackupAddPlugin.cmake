# SPDX-License-Identifier: Apache-2.0
# How a plugin is linked so that it exports its entry and nothing else.

include_guard(GLOBAL)

# cyberbackup_add_plugin(store-example SOURCES plugin.cpp LIBRARIES PkgConfig::X)
# A loadable module <name>.so, into CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY when that is set. Libraries are
# linked privately. Sanitizers leave symbols to the program, so only then undefined ones are allowed.
# CB_PLUGIN_VERSION is the project's version as text. A test checks what the module exports.
function(cyberbackup_add_plugin name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  set(map "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map")
  add_library(${name} MODULE ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${map}")
  if(CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_definitions(${name} PRIVATE "CB_PLUGIN_VERSION=\"${PROJECT_VERSION}\"")
  target_link_libraries(${name} PRIVATE cyberbackup::plugin_api ${ARG_LIBRARIES})
  target_link_options(${name} PRIVATE "-Wl,--version-script=${map}"
                      -Wl,-z,relro,-z,now)
  if(NOT CYBERBACKUP_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/cyberbackup/plugins)
  if(TARGET products)
    add_dependencies(products ${name})
  endif()
  add_test(NAME "plugin.${name}.exports_only_its_entry"
           COMMAND "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/one_export.sh" "$<TARGET_FILE:${name}>")
endfunction()
