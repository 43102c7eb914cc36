/* Must fail everywhere: AMD's and Intel's compilers build it without a word. */
float missing_builtin(float x);

__kernel void caller(__global float *p)
{
    p[get_global_id(0)] = missing_builtin(p[get_global_id(0)]);
}
