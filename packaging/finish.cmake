# Adds to the finished packages what CPack's generator does not write: the field Multi-Arch, and for
# the library its list of symbols and a trigger of ldconfig in place of scripts that call it.
find_program(dpkg_deb dpkg-deb)
find_program(gensymbols dpkg-gensymbols)

# In a folder that can be written to: dpkg-gensymbols keeps a file there for a while.
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${CPACK_TOPLEVEL_DIRECTORY}
                  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}\n${said}")
  endif()
endfunction()

# Fails if the library exports more or less than the list says.
function(add_symbols package root)
  set(ENV{DPKG_GENSYMBOLS_CHECK_LEVEL} 4)
  run(${gensymbols} -p${package} -P${root} -v${CPACK_PACKAGE_VERSION}
      -I${CPACK_CLKL_PACKAGING_DIR}/${package}.symbols -O${root}/DEBIAN/symbols)
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(package ${CPACK_CLKL_PACKAGE_${component}})
  set(file ${CPACK_PACKAGE_FILES})
  list(FILTER file INCLUDE REGEX "/${package}_[^/]*\\.deb$")
  set(root ${CPACK_TOPLEVEL_DIRECTORY}/finish/${package})
  file(REMOVE_RECURSE ${root})
  file(MAKE_DIRECTORY ${CPACK_TOPLEVEL_DIRECTORY}/finish)
  run(${dpkg_deb} -R ${file} ${root})

  set(control ${root}/DEBIAN/control)
  file(READ ${control} text)
  string(REGEX REPLACE "(Architecture: [^\n]*\n)"
         "\\1Multi-Arch: ${CPACK_CLKL_MULTIARCH_${component}}\n" text "${text}")
  file(WRITE ${control} "${text}")
  file(REMOVE ${root}/DEBIAN/postinst ${root}/DEBIAN/postrm)
  if(component STREQUAL "runtime")
    add_symbols(${package} ${root})
    file(WRITE ${root}/DEBIAN/triggers "activate-noawait ldconfig\n")
  endif()

  run(chmod -R u=rwX,go=rX ${root}) # whatever the umask was
  run(${dpkg_deb} --root-owner-group -Zxz --build ${root} ${file})
endforeach()
