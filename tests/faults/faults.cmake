# Tests with a layer between the OpenCL loader and the implementation: manners and faults.
find_path(CLKL_CL_LAYER CL/cl_layer.h)
if(NOT CLKL_CL_LAYER)
  message(STATUS "CL/cl_layer.h not found: no tests with a layer")
  return()
endif()

add_library(faults SHARED faults/layer.c faults/layer_calls.c faults/layer_fakes.c)
target_include_directories(faults INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/faults)
target_compile_definitions(faults PRIVATE _POSIX_C_SOURCE=200809L)
target_link_libraries(faults PRIVATE clkl_flags)
set_target_properties(faults PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)

add_library(support_faults STATIC faults/support.c faults/verdict.c)
target_compile_definitions(support_faults PRIVATE _POSIX_C_SOURCE=200809L)
target_compile_definitions(support_faults PUBLIC FAULTS_LAYER="$<TARGET_FILE:faults>")
target_link_libraries(support_faults PUBLIC support_device faults)

foreach(name enqueue_calls builds sweep sweep_blobs sweep_engine memory fakes manners)
  clkl_add_device_test(faults_${name} SOURCES faults/test_${name}.c LIBRARIES support_faults)
endforeach()

# PoCL alone compiles at a launch, and shows it.
clkl_add_program(test_faults_first_launch SOURCES faults/test_first_launch.c
                 LIBRARIES support_faults)
add_test(NAME faults_first_launch.pocl
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/on_implementation.sh pocl $<TARGET_FILE:opencl_probe>
                 $<TARGET_FILE:test_faults_first_launch>)
set_tests_properties(faults_first_launch.pocl PROPERTIES
                     SKIP_RETURN_CODE 77 TIMEOUT ${CLKL_TEST_TIMEOUT})

# The library and the test take their memory from the test's own functions.
target_link_options(test_faults_memory PRIVATE
                    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)

if(CLKL_BUILD_TOOL)
  pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
  clkl_add_device_test(faults_sweep_tool SOURCES faults/test_sweep_tool.c cli/support.c
                       LIBRARIES clkl_io PkgConfig::JANSSON)
  target_compile_definitions(test_faults_sweep_tool PRIVATE CLKL_TOOL="$<TARGET_FILE:clkl>"
                             FAULTS_LAYER="$<TARGET_FILE:faults>" _GNU_SOURCE)
  add_dependencies(test_faults_sweep_tool clkl faults)
endif()
