/* The second stage: joins the partial findings of each row's chunks, one team per row, and writes
 * the result. Work-groups may be fewer than the rows want. */
__kernel WORK_GROUP void clkl_combine(const launch call, const ulong rows,
                                      __global real *restrict result,
                                      __global uint *restrict status,
                                      __global uint2 *restrict clamp_counts,
                                      __global uchar *restrict scratch_base)
{
    __local findings shared[WG];
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0);
    const uint member = item & (call.team - 1);
    const ulong step = get_num_groups(0) * (WG / call.team);
    __global uchar *scratch = scratch_base + call.scratch_origin;
    __global const twofold *sums = SCRATCH_SUMS(scratch);
    __global const uint2 *counts = SCRATCH_COUNTS(scratch, call.tasks);
    __global const uint *negative = SCRATCH_NEGATIVE(scratch, call.tasks);

    for (ulong first = group * (WG / call.team); first < rows; first += step) {
        const ulong row = first + item / call.team;
        findings found = {{0.0f, 0.0f}, 0u, {0u, 0u}};
        if (row < rows) {
            for (uint chunk = member; chunk < call.chunks; chunk += call.team) {
                const ulong at = row * call.chunks + chunk;
                const findings part = {sums[at], negative[at], {counts[at].x, counts[at].y}};
                found = findings_join(found, part);
            }
        }
        found = team_join(found, shared, item, member, call.team);
        if (row < rows && member == 0)
            finish(found, row, &call, result, status, clamp_counts);
    }
}
