# Turns OpenCL C files into byte arrays of one C file, with CMake alone:
#   cmake -DOUTPUT=sources.c -DINPUTS=a.clh;b.cl -P EmbedKernels.cmake
# (String literals will not do: compilers limit their length.)
set(text "/* Generated from kernels/ at build time. */\n#include \"opencl/sources.h\"\n")
set(table "")
foreach(input IN LISTS INPUTS)
  get_filename_component(name ${input} NAME)
  string(MAKE_C_IDENTIFIER ${name} id)
  file(READ ${input} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
                       "\\1\n    " bytes "${bytes}")
  string(APPEND text "\nstatic const char ${id}[] = {\n    ${bytes}0x00};\n")
  string(APPEND table "    {\"${name}\", ${id}, sizeof ${id} - 1},\n")
endforeach()
string(APPEND text "\nconst struct clkl_source clkl_sources[] = {\n${table}    {0, 0, 0},\n};\n")
file(WRITE ${OUTPUT} "${text}")
