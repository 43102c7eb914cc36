# What is installed, for three packages: `runtime` (the shared library), `development`, `tool`.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/clkl)

# ---- Libraries and headers ----
set(targets "")
foreach(kind shared static)
  if(TARGET clkl_${kind})
    list(APPEND targets clkl_${kind})
  endif()
endforeach()
install(TARGETS ${targets} EXPORT clkl-targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime
                NAMELINK_COMPONENT development
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(headers ${PROJECT_SOURCE_DIR}/include/clkl)
install(FILES ${headers}/clkl.h ${headers}/clkl_opencl.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clkl COMPONENT development)

# ---- find_package(clkl) ----
install(EXPORT clkl-targets NAMESPACE clkl:: DESTINATION ${config_dir} COMPONENT development)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/clkl-config.cmake.in ${PROJECT_BINARY_DIR}/clkl-config.cmake
  INSTALL_DESTINATION ${config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/clkl-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/clkl-config.cmake
              ${PROJECT_BINARY_DIR}/clkl-config-version.cmake
        DESTINATION ${config_dir} COMPONENT development)

# ---- pkg-config clkl ----
# The paths in clkl.pc start from the file itself, so that the tree can be moved.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
foreach(dir libdir includedir)
  string(TOUPPER CMAKE_INSTALL_${dir} chosen)
  if(IS_ABSOLUTE ${${chosen}})
    set(pc_${dir} ${${chosen}})
  endif()
endforeach()
set(pc_private "${CMAKE_THREAD_LIBS_INIT}")
if(CMAKE_USE_PTHREADS_INIT)
  set(pc_private -pthread)
endif()
if(UNIX)
  string(APPEND pc_private " -lm")
endif()
set(pc_libs -lclkl)
if(NOT TARGET clkl_shared) # then -lclkl is the archive, also without --static
  set(pc_libs "-lclkl ${pc_private}")
  set(pc_private "")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/clkl.pc.in ${PROJECT_BINARY_DIR}/clkl.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/clkl.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# ---- What people read ----
set(docdir ${CMAKE_INSTALL_DATAROOTDIR}/doc/clkl) # inside another project CMAKE_INSTALL_DOCDIR is its
if(CLKL_TOP_LEVEL)
  set(docdir ${CMAKE_INSTALL_DOCDIR})
endif()
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
              ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${docdir} COMPONENT development)
