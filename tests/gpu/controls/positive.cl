/* Passes every gate on every target, with REAL float or double. The self-test knows what the
 * reports have to say: both kernels have 256 REAL of local memory, the loop of `sum_rows` loads
 * 128 bits at a time, and that of `sum_words`, which is not marked, one REAL. */
#ifndef REAL
#define REAL float
#endif
#define PASTE(a, b) a##b
#define VECTOR(type, n) PASTE(type, n)
#define REAL4 VECTOR(REAL, 4)
#define WG 256

/* A table in constant memory is a symbol, but not an undefined one. */
__constant float weight[4] = {1.0f, 0.5f, 0.25f, 0.125f};

/* Adds v up over the work-group; every work-item has to call it. */
static REAL sum_of_group(REAL v, __local REAL *scratch)
{
    const uint id = (uint)get_local_id(0);
    scratch[id] = v;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_size = WG / 2; half_size > 0; half_size >>= 1) {
        if (id < half_size)
            scratch[id] += scratch[id + half_size];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return scratch[0];
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
sum_rows(__global const REAL4 *a, __global const REAL4 *b, __global REAL *out, const ulong n)
{
    __local REAL scratch[WG];
    const ulong step = get_global_size(0);
    REAL4 sum = (REAL4)((REAL)0);
    for (ulong i = get_global_id(0); i < n; i += step)
        sum += fma(a[i], a[i], b[i]);
    const REAL total = sum_of_group(sum.x + sum.y + sum.z + sum.w, scratch);
    if (get_local_id(0) == 0)
        out[get_group_id(0)] = total * weight[get_group_id(0) & 3];
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
sum_words(__global const REAL *a, __global REAL *out, const ulong n)
{
    __local REAL scratch[WG];
    const ulong step = get_global_size(0);
    REAL sum = (REAL)0;
    for (ulong i = get_global_id(0); i < n; i += step)
        sum = fma(a[i], a[i], sum);
    const REAL total = sum_of_group(sum, scratch);
    if (get_local_id(0) == 0)
        out[get_group_id(0)] = total;
}
