/* Must fail everywhere: it does not build. */
__kernel void broken(__global float *p)
{
    p[get_global_id(0)] = 1.0f
}
