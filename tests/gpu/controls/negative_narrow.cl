/* Must fail everywhere when marked vector-loads: one float at a time. */
__kernel void narrow(__global const float *a, __global const float *b, __global float *out,
                     const ulong n)
{
    float sum = 0.0f;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0))
        sum += fma(a[i], a[i], b[i]);
    out[get_global_id(0)] = sum;
}
