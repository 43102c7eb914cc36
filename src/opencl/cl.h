/* OpenCL as the library uses it: 1.2, and none of the calls that later versions deprecate silently.
 */
#ifndef CLKL_OPENCL_CL_H
#define CLKL_OPENCL_CL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <clkl/clkl_opencl.h>

#endif
