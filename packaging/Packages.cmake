# Debian packages, split as Debian splits libraries: `cpack -G DEB` in any build tree. That needs
# dpkg-dev, and CMake 3.19.
#
#     build.cmake    builds the project once more, for /usr and with Debian's compiler flags
#     stage.cmake    makes of what was installed what Debian expects of files
#     finish.cmake   adds to the packages what this generator cannot write
#
# They run in CPack and see the variables below that begin with CPACK_.
set(CLKL_PACKAGE_CONTACT "The clkl authors <clkl@example.org>" CACHE STRING
    "Maintainer of the Debian packages: name <address>")
set(release 1) # of the packages, for one version of clkl

set(CPACK_CLKL_SOURCE_DIR ${PROJECT_SOURCE_DIR})
set(CPACK_CLKL_PACKAGING_DIR ${CMAKE_CURRENT_LIST_DIR})
set(CPACK_CLKL_BUILD_DIR ${PROJECT_BINARY_DIR}/debian)
set(CPACK_CLKL_C_COMPILER ${CMAKE_C_COMPILER})
set(CPACK_CLKL_PACKAGE_runtime libclkl${CLKL_ABI})
set(CPACK_CLKL_PACKAGE_development libclkl-dev)
set(CPACK_CLKL_PACKAGE_tool clkl)
set(CPACK_CLKL_MULTIARCH_runtime same)
set(CPACK_CLKL_MULTIARCH_development same)
set(CPACK_CLKL_MULTIARCH_tool foreign)

set(CPACK_GENERATOR DEB)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/build.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/stage.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL runtime development tool)
set(CPACK_DEB_COMPONENT_INSTALL ON)

# ---- Fields of all packages ----
set(CPACK_PACKAGE_CONTACT ${CLKL_PACKAGE_CONTACT})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CPACK_CLKL_BUILD_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
foreach(component RUNTIME DEVELOPMENT)
  set(CPACK_DEBIAN_${component}_PACKAGE_SOURCE clkl)
endforeach()
set(this_library "${CPACK_CLKL_PACKAGE_runtime} (= ${PROJECT_VERSION}-${release})")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each description begins with its own
set(about "clkl computes Kullback-Leibler divergences between Gaussians on GPUs
and CPUs, through OpenCL: of the latents of variational autoencoders,
for instance. The results stay right where the textbook formula
cancels to noise.")

# ---- The library ----
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${CPACK_CLKL_PACKAGE_runtime})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "Kullback-Leibler divergences on OpenCL devices
${about}
.
This package contains the shared library.")

# ---- What programs are built with ----
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME ${CPACK_CLKL_PACKAGE_development})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${this_library}, ocl-icd-opencl-dev | opencl-dev, opencl-c-headers")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "Kullback-Leibler divergences on OpenCL devices - development files
${about}
.
This package contains the headers, the static library, and the files
for CMake and pkg-config.")

# ---- The tool ----
set(CPACK_DEBIAN_TOOL_PACKAGE_NAME ${CPACK_CLKL_PACKAGE_tool})
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION math)
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS ${this_library})
set(CPACK_DEBIAN_TOOL_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot") # clkl inspect --plot
set(CPACK_DEBIAN_TOOL_DESCRIPTION "Kullback-Leibler divergences on OpenCL devices - command-line tool
${about}
.
This package contains the tool, which reads the .npy and .npz files of NumPy.")

include(CPack)
