# Makes of each installed component what Debian expects: stripped, documentation compressed and in the
# folder of its package.
set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, if that is set

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${status}")
  endif()
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  set(package ${CPACK_CLKL_PACKAGE_${component}})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component}/usr)
  set(doc ${root}/share/doc/${package})

  # The copyright file holds the licence; the changes of clkl and those of the packages are two files.
  file(REMOVE_RECURSE ${root}/share/doc)
  file(MAKE_DIRECTORY ${doc})
  if(component STREQUAL "development")
    file(COPY ${CPACK_CLKL_SOURCE_DIR}/README.md DESTINATION ${doc})
  endif()
  file(COPY ${CPACK_CLKL_PACKAGING_DIR}/copyright DESTINATION ${doc})
  configure_file(${CPACK_CLKL_SOURCE_DIR}/CHANGELOG.md ${doc}/changelog COPYONLY)
  configure_file(${CPACK_CLKL_PACKAGING_DIR}/changelog.in ${doc}/changelog.Debian @ONLY)
  configure_file(${CPACK_CLKL_PACKAGING_DIR}/lintian-overrides
                 ${root}/share/lintian/overrides/${package} COPYONLY)

  file(GLOB texts ${doc}/changelog ${doc}/changelog.Debian ${root}/share/man/man*/*)
  run(gzip -9nf ${texts})

  file(GLOB_RECURSE files ${root}/bin/* ${root}/lib/*)
  foreach(file IN LISTS files)
    if(IS_SYMLINK ${file})
      continue()
    elseif(file MATCHES "\\.a$")
      run(strip --strip-debug --enable-deterministic-archives -R .comment -R .note ${file})
    elseif(file MATCHES "/bin/|\\.so\\.")
      run(strip --strip-unneeded -R .comment -R .note ${file})
    endif()
  endforeach()
endforeach()
