/* The second stage: joins the partial findings of each value's rows and their chunks, and writes the
 * result. These parts are dealt out to the value's team in turn; the slots of a work-group take
 * neighbouring values. A work-group of one work-item takes `rounds` vectors of values. */

static inline findings part_at(partials parts, ulong at)
{
    const findings part = {
        {parts.hi[at], parts.lo[at]}, parts.negative[at], parts.clamped_p[at], parts.clamped_q[at]};
    return part;
}

/* What one member finds of a value. */
static inline findings join_parts(partials parts, const launch *call, ulong value, uint member)
{
    const uint team = call->team, chunks = call->chunks;
    const uint of_value = (uint)call->rows_of_value;
    const ulong rows = call->rows, first = value * of_value;
    findings found = findings_of_lanes(nothing_found());
    for (uint part = member; part < chunks * of_value; part += team) {
        const uint chunk = of_value == 1 ? part : part / of_value;
        found = findings_join(found,
                              part_at(parts, chunk * rows + first + (part - chunk * of_value)));
    }
    return found;
}

/* The same, lane by lane, for AW values of one row each. */
#if WG == 1 && AW > 1
static inline lane_findings join_lanes(partials parts, const launch *call, ulong row)
{
#define READ(array) CLKL_JOIN(vload, AW)(0, array + chunk * call->rows + row)
    lane_findings found = nothing_found();
    for (uint chunk = 0; chunk < call->chunks; ++chunk) {
        realv sum, lost;
        TWO_SUM(found.hi, READ(parts.hi), sum, lost);
        found.hi = sum;
        found.lo = (found.lo + READ(parts.lo)) + lost;
        found.negative |= as_words(READ(parts.negative));
        found.clamped_p =
            as_words(add_sat(as_counts(found.clamped_p), READ(parts.clamped_p)));
        found.clamped_q =
            as_words(add_sat(as_counts(found.clamped_q), READ(parts.clamped_q)));
    }
    return found;
#undef READ
}
#endif

__kernel WORK_GROUP void clkl_combine(const launch call, __global real *restrict result,
                                      __global uint *restrict status,
                                      __global uint *restrict clamp_counts,
                                      __global uchar *restrict scratch)
{
    const outputs to = {result, status, clamp_counts, scratch};
    const partials parts = partials_in(scratch, &call);
    const ulong group = get_group_id(0);
    const ulong values = call.tasks > 0 ? call.rows / call.rows_of_value : 0;
#if WG == 1
    ulong value = group * call.rounds * AW;
    const ulong end = min(value + (ulong)call.rounds * AW, values);
#if AW > 1
    for (; call.rows_of_value == 1 && value + AW <= end; value += AW)
        finish(join_lanes(parts, &call, value), value, AW, &call, &to);
#endif
    for (; value < end; ++value)
        finish(in_every_lane(join_parts(parts, &call, value, 0)), value, 1, &call, &to);
#else
    __local findings shared[WG];
    const uint item = (uint)get_local_id(0);
    const uint slots = WG / call.team;
    const uint slot = item % slots, member = item / slots;
    const ulong value = group * slots + slot;
    findings found = findings_of_lanes(nothing_found());
    if (value < values)
        found = join_parts(parts, &call, value, member);
    found = team_join(found, shared, item, member, call.team, slots);
    if (value < values && member == 0)
        finish(in_every_lane(found), value, 1, &call, &to);
#endif
}
