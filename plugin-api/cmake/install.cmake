# SPDX-License-Identifier: Apache-2.0
# What of the SDK is installed, and where; component sdk. Nothing depends on the machine, and no
# installed file holds an absolute path: the folder may be moved.
include(CMakePackageConfigHelpers)

set(package_dir share/cmake/cyberbackup-plugin-api)
set(generated "${CMAKE_CURRENT_BINARY_DIR}/sdk")

install(DIRECTORY include/ DESTINATION include COMPONENT sdk)
install(TARGETS cyberbackup_plugin_api EXPORT cyberbackup-plugin-api-targets COMPONENT sdk
        INCLUDES DESTINATION include)
install(EXPORT cyberbackup-plugin-api-targets NAMESPACE cyberbackup:: DESTINATION "${package_dir}"
        COMPONENT sdk)

configure_package_config_file(cmake/cyberbackup-plugin-api-config.cmake.in
                              "${generated}/cyberbackup-plugin-api-config.cmake"
                              INSTALL_DESTINATION "${package_dir}"
                              NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# The size of a pointer is kept from the file, which is the same with and without a compiler.
function(write_sdk_version_file)
  set(CMAKE_SIZEOF_VOID_P "")
  write_basic_package_version_file("${generated}/cyberbackup-plugin-api-config-version.cmake"
                                   VERSION "${sdk_version}" COMPATIBILITY SameMajorVersion
                                   ARCH_INDEPENDENT)
endfunction()
write_sdk_version_file()
configure_file(cyberbackup-plugin-api.pc.in "${generated}/cyberbackup-plugin-api.pc" @ONLY)

install(FILES "${generated}/cyberbackup-plugin-api-config.cmake"
              "${generated}/cyberbackup-plugin-api-config-version.cmake"
              cmake/CyberbackupAddPlugin.cmake
        DESTINATION "${package_dir}" COMPONENT sdk)
install(FILES "${generated}/cyberbackup-plugin-api.pc" DESTINATION share/pkgconfig COMPONENT sdk)
install(FILES cmake/plugin.map DESTINATION share/cyberbackup COMPONENT sdk)
install(PROGRAMS cmake/one_export.sh DESTINATION share/cyberbackup COMPONENT sdk)
install(DIRECTORY template-c template-cpp template-rust DESTINATION share/cyberbackup COMPONENT sdk)
install(FILES README.md CHANGES.md abi/POLICY.md DESTINATION share/doc/cyberbackup-plugin-api COMPONENT sdk)

# The tutorial and the pages of the headers lie beside this folder in the source tree. Installed, its
# links lead to what is installed with it.
set(docs "${CMAKE_CURRENT_SOURCE_DIR}/../docs")
if(EXISTS "${docs}/plugin-author.md")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${docs}/plugin-author.md")
  file(READ "${docs}/plugin-author.md" tutorial)
  string(REPLACE "](../plugin-api/template-" "](../../cyberbackup/template-" tutorial "${tutorial}")
  string(REPLACE "](../plugin-api/abi/" "](" tutorial "${tutorial}")
  string(REPLACE "](../plugin-api/" "](" tutorial "${tutorial}")
  string(REGEX REPLACE "\\[([^]]+)\\]\\(operations\\.md\\)" "\\1" tutorial "${tutorial}")
  file(WRITE "${generated}/plugin-author.md" "${tutorial}")
  install(FILES "${generated}/plugin-author.md" DESTINATION share/doc/cyberbackup-plugin-api COMPONENT sdk)
  install(DIRECTORY "${docs}/plugin-api" DESTINATION share/doc/cyberbackup-plugin-api COMPONENT sdk)
endif()
