/* The second stage: joins the partial findings of each value's rows and their chunks, and writes the
 * result. These parts are dealt out to the value's team in turn; the slots of a work-group take
 * neighbouring values. A work-group of one work-item takes `rounds` vectors of values of one row, or
 * `rounds` values of several. */

#if SUMS > 0

static inline findings part_at(partials parts, ulong at)
{
    findings part;
#pragma unroll
    for (int i = 0; i < SUMS; ++i) {
        part.sums[i].hi = parts.hi[i][at];
        part.sums[i].lo = parts.lo[i][at];
    }
    part.negative = part.clamped_p = part.clamped_q = 0;
#if NEGATIVE_SCALES
    part.negative = parts.negative[at];
#endif
#if COUNT_CLAMPED
    part.clamped_p = parts.clamped_p[at];
    part.clamped_q = parts.clamped_q[at];
#endif
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

#if WG == 1 && AW > 1
/* Adds the parts of AW neighbouring rows to what was found in the lanes. */
static inline void add_lanes(lane_findings *found, partials parts, ulong at)
{
#define READ(array) CLKL_JOIN(vload, AW)(0, array + at)
#pragma unroll
    for (int i = 0; i < SUMS; ++i) {
        realv sum, lost;
        TWO_SUM(found->hi[i], READ(parts.hi[i]), sum, lost);
        found->hi[i] = sum;
        found->lo[i] = (found->lo[i] + READ(parts.lo[i])) + lost;
    }
#if NEGATIVE_SCALES
    found->negative |= as_words(READ(parts.negative));
#endif
#if COUNT_CLAMPED
    found->clamped_p = as_words(add_sat(as_counts(found->clamped_p), READ(parts.clamped_p)));
    found->clamped_q = as_words(add_sat(as_counts(found->clamped_q), READ(parts.clamped_q)));
#endif
#undef READ
}

/* What is found of AW values of one row each. */
static inline lane_findings join_values(partials parts, const launch *call, ulong value)
{
    lane_findings found = nothing_found();
    for (uint chunk = 0; chunk < call->chunks; ++chunk)
        add_lanes(&found, parts, chunk * call->rows + value);
    return found;
}

/* What is found of a value of several rows, AW of them at a time as long as there are so many. */
static inline findings join_rows(partials parts, const launch *call, ulong value)
{
    const uint of_value = (uint)call->rows_of_value, whole = of_value / AW * AW;
    lane_findings lanes = nothing_found();
    findings rest = findings_of_lanes(lanes);
    for (uint chunk = 0; chunk < call->chunks; ++chunk) {
        const ulong first = chunk * call->rows + value * of_value;
        for (uint row = 0; row < whole; row += AW)
            add_lanes(&lanes, parts, first + row);
        for (uint row = whole; row < of_value; ++row)
            rest = findings_join(rest, part_at(parts, first + row));
    }
    return findings_join(findings_of_lanes(lanes), rest);
}
#endif

__kernel WORK_GROUP void clkl_combine(const launch call, LAYOUT_PARAMETER OUTPUT_PARAMETERS)
{
    const layout *lies = LAYOUT_OF_CALL;
    const outputs to = OUTPUT_ARRAYS;
    const partials parts = partials_in(scratch, &call);
    const ulong group = get_group_id(0);
    const ulong values = call.tasks > 0 ? call.rows / call.rows_of_value : 0;
#if WG == 1
    const ulong share = (ulong)call.rounds * (call.rows_of_value == 1 ? AW : 1);
    ulong value = group * share;
    const ulong end = min(value + share, values);
#if AW > 1
    for (; call.rows_of_value == 1 && value + AW <= end; value += AW)
        finish(join_values(parts, &call, value), value, AW, &call, lies, &to);
    for (; call.rows_of_value > 1 && value < end; ++value)
        finish(in_every_lane(join_rows(parts, &call, value)), value, 1, &call, lies, &to);
#endif
    for (; value < end; ++value)
        finish(in_every_lane(join_parts(parts, &call, value, 0)), value, 1, &call, lies, &to);
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
        finish(in_every_lane(found), value, 1, &call, lies, &to);
#endif
}

#endif
