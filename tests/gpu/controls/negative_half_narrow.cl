/* Must fail everywhere when marked vector-loads: nearly half of the bytes come one
 * float at a time. */
__kernel void half_narrow(__global const float4 *a, __global const float *b, __global float *out,
                          const ulong n)
{
    const ulong step = get_global_size(0);
    float4 sum = (float4)(0.0f);
    for (ulong i = get_global_id(0); i < n; i += step) {
        const float4 q = (float4)(b[i], b[i + step], b[i + 2 * step], b[i + 3 * step]);
        sum += fma(a[i], a[i], q);
    }
    out[get_global_id(0)] = sum.x + sum.y + sum.z + sum.w;
}
