# SPDX-License-Identifier: Apache-2.0
# How a plugin is linked so that it exports its entry and nothing else, and how it is tested.

include_guard(GLOBAL)

# cyberbackup_add_plugin(store-example SOURCES plugin.cpp [LIBRARIES PkgConfig::X] [CHECK_CONFIG FILE])
# A loadable module <name>.so of C or C++ sources, into CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY when that is
# set; it is installed where the daemon looks. Libraries are linked privately. CB_PLUGIN_VERSION is the
# project's version as text. Sanitizers leave symbols to the program, so undefined ones are allowed when
# CYBERBACKUP_SANITIZE is set. Tests: what the module exports and, with an installed SDK, all of
# cyberbackup-plugin-check; CHECK_CONFIG gives it values for required options.
function(cyberbackup_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "CHECK_CONFIG" "SOURCES;LIBRARIES")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "cyberbackup_add_plugin(${name}): needs SOURCES and does not know "
                        "'${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  get_property(prefix GLOBAL PROPERTY CYBERBACKUP_SDK_PREFIX)
  set(data "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  if(prefix)
    set(data "${prefix}/share/cyberbackup")
  endif()
  set(map "${data}/plugin.map")

  add_library(${name} MODULE ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${map}")
  if(CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${CYBERBACKUP_PLUGIN_OUTPUT_DIRECTORY}")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  target_compile_definitions(${name} PRIVATE "CB_PLUGIN_VERSION=\"${PROJECT_VERSION}\"")
  target_link_libraries(${name} PRIVATE cyberbackup::plugin_api ${ARG_LIBRARIES})
  target_link_options(${name} PRIVATE "-Wl,--version-script=${map}" -Wl,-z,relro,-z,now)
  if(NOT CYBERBACKUP_SANITIZE)
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/cyberbackup/plugins)
  if(TARGET products)
    add_dependencies(products ${name})
  endif()

  add_test(NAME "plugin.${name}.exports_only_its_entry"
           COMMAND "${data}/one_export.sh" "$<TARGET_FILE:${name}>")
  if(prefix)
    cyberbackup_check_plugin(${name} "${prefix}" "${ARG_CHECK_CONFIG}")
  endif()
endfunction()

# The test that cyberbackup-plugin-check, beside the SDK or on PATH, finds nothing wrong.
function(cyberbackup_check_plugin name prefix config)
  find_program(CYBERBACKUP_PLUGIN_CHECK cyberbackup-plugin-check HINTS "${prefix}/bin")
  if(NOT CYBERBACKUP_PLUGIN_CHECK)
    message(STATUS "${name} is built but not checked: cyberbackup-plugin-check was not found. Install "
                   "it, or name it with -DCYBERBACKUP_PLUGIN_CHECK=PATH")
    return()
  endif()
  set(options --strict)
  if(config)
    cmake_path(ABSOLUTE_PATH config BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND options --config "${config}")
  endif()
  add_test(NAME "plugin.${name}.passes_the_check"
           COMMAND "${CYBERBACKUP_PLUGIN_CHECK}" ${options} "$<TARGET_FILE:${name}>")
  set_tests_properties("plugin.${name}.passes_the_check" PROPERTIES TIMEOUT 600)
endfunction()
