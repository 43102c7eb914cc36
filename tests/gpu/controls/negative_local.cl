/* Must fail everywhere: 32 KiB of local memory. */
#define WG 256
#define COUNT 8192

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void reverse(__global float *p)
{
    __local float tile[COUNT];
    __global float *mine = p + get_group_id(0) * COUNT;
    const uint id = (uint)get_local_id(0);
    for (uint i = id; i < COUNT; i += WG)
        tile[i] = mine[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = id; i < COUNT; i += WG)
        mine[i] = tile[COUNT - 1 - i];
}
