/* Must fail everywhere: a private array too large for registers, indexed at run time. */
#define COUNT 1024

__kernel void histogram(__global float *p, __global const int *bin, const uint n)
{
    float a[COUNT];
    __global float *mine = p + get_global_id(0) * COUNT;
    for (int i = 0; i < COUNT; ++i)
        a[i] = mine[i];
    for (uint k = 0; k < n; ++k)
        a[bin[k] & (COUNT - 1)] += 1.0f;
    for (int i = 0; i < COUNT; ++i)
        mine[i] = a[i];
}
