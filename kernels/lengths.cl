/* A mask from lengths: byte t of a sample's is 1 where t is below its length. Every work-item fills a
 * piece of the whole mask. */
__kernel WORK_GROUP void clkl_lengths(__global const uint *restrict lengths, const ulong origin,
                                      const ulong stride, const ulong extent, const ulong bytes,
                                      __global uchar *restrict mask, const ulong mask_origin)
{
    const ulong items = get_global_size(0), piece = (bytes + items - 1) / items;
    const ulong begin = min((ulong)get_global_id(0) * piece, bytes);
    const ulong end = min(begin + piece, bytes);
    ulong sample = begin / extent, t = begin - sample * extent;
    for (ulong i = begin; i < end; ++i) {
        mask[mask_origin + i] = t < lengths[origin + sample * stride];
        const ulong past = t + 1 == extent;
        sample += past;
        t = past ? 0 : t + 1;
    }
}
