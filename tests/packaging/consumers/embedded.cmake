# What a project that takes clkl in as a part of itself may rely on. Included before (BEFORE set) and
# after clkl was added.

# ---- Variables of the project ----
set(watched CMAKE_C_FLAGS CMAKE_C_STANDARD CMAKE_BUILD_TYPE CMAKE_RUNTIME_OUTPUT_DIRECTORY
            CMAKE_LIBRARY_OUTPUT_DIRECTORY CMAKE_ARCHIVE_OUTPUT_DIRECTORY BUILD_SHARED_LIBS
            CMAKE_POSITION_INDEPENDENT_CODE CMAKE_C_VISIBILITY_PRESET BUILD_TESTING
            CMAKE_MODULE_PATH CMAKE_INSTALL_LIBDIR)
set(state "")
foreach(variable IN LISTS watched)
  string(APPEND state "${variable}=${${variable}}\n")
endforeach()
if(BEFORE)
  set(state_before "${state}")
  return()
endif()
if(NOT state STREQUAL state_before)
  message(FATAL_ERROR "clkl changed variables of the project from\n${state_before}to\n${state}")
endif()

# ---- Targets: all have names of clkl, and neither tool nor tests are among them ----
function(list_targets dir result)
  get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(below DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
  foreach(subdir IN LISTS below)
    list_targets(${subdir} more)
    list(APPEND targets ${more})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()
list_targets(${CLKL_DIR} targets)
list(SORT targets)
set(expected clkl_flags clkl_objects clkl_${KIND})
list(SORT expected)
if(NOT CMAKE_CROSSCOMPILING AND NOT targets STREQUAL expected)
  message(FATAL_ERROR "clkl defines the targets ${targets}; expected ${expected}")
endif()

# ---- Flags ----
foreach(property INTERFACE_COMPILE_OPTIONS INTERFACE_LINK_OPTIONS INTERFACE_COMPILE_FEATURES)
  get_target_property(value clkl::clkl ${property})
  if(value)
    message(FATAL_ERROR "clkl::clkl has ${property} ${value}")
  endif()
endforeach()
