# Builds the project for the Debian packages, in a tree of its own: for /usr, with Debian's folders and
# compiler flags, and without a search path in the tool, whatever the tree around it was made for.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()

find_program(buildflags dpkg-buildflags)
if(NOT buildflags)
  message(FATAL_ERROR "dpkg-buildflags is missing; it comes with the package dpkg-dev")
endif()
foreach(kind CPPFLAGS CFLAGS LDFLAGS)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env DEB_BUILD_MAINT_OPTIONS=hardening=+all
            DEB_CFLAGS_MAINT_STRIP=-g DEB_LDFLAGS_MAINT_APPEND=-Wl,--as-needed
            ${buildflags} --get ${kind}
    WORKING_DIRECTORY ${CPACK_CLKL_SOURCE_DIR}
    OUTPUT_VARIABLE ${kind} OUTPUT_STRIP_TRAILING_WHITESPACE)
endforeach()

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${said}")
  endif()
endfunction()

run(${CMAKE_COMMAND} -S ${CPACK_CLKL_SOURCE_DIR} -B ${CPACK_CLKL_BUILD_DIR}
    -G ${CPACK_CMAKE_GENERATOR} -DCMAKE_C_COMPILER=${CPACK_CLKL_C_COMPILER}
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_SKIP_INSTALL_RPATH=ON
    "-DCMAKE_C_FLAGS=${CPPFLAGS} ${CFLAGS}" "-DCMAKE_EXE_LINKER_FLAGS=${LDFLAGS}"
    "-DCMAKE_SHARED_LINKER_FLAGS=${LDFLAGS}")
run(${CMAKE_COMMAND} --build ${CPACK_CLKL_BUILD_DIR} --parallel)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CPACK_CLKL_BUILD_DIR};clkl;ALL;/")
