/* KL of diagonal Gaussians where the elements of a row lie side by side: for each row (one value of
 * the result) the sum of quarter_divergence over its elements.
 *
 * A task is one chunk of one row. Its elements are read in vectors of VW, dealt out to the team, which
 * are neighbouring work-items, in turn. A team member adds up TILE vectors at a time (tile.clh) and
 * carries the sums of tiles in two words; then lanes, then members, then (in combine.cl) chunks are
 * joined, each level in two words. So no more than 5 roundings lie between an element and a sum that
 * forgets nothing, and the order of all of it follows from the row's length alone.
 */
#if !COLUMNS

#if LAYOUT
#define LAYOUT_PARAMETER , const layout *lies
#define LAYOUT_ARGUMENT , &lies
#else
#define LAYOUT_PARAMETER
#define LAYOUT_ARGUMENT
#endif

/* What one member of a team finds in its share of a task. */
static inline findings member_share(worker *w, uint member, uint team)
{
    const uint step = VW * team;
    for (uint index = VW * member; index + VW <= w->count; index += TILE * step) {
        const uint vectors = TILE == 1 ? 1 : min((w->count - index - VW) / step + 1, (uint)TILE);
        move_to_tile(&w->at, index, (vectors - 1) * step + VW);
        const realv sum = tile_sum(w, index, step, vectors);
        twofold_add(&w->found.hi, &w->found.lo, sum);
    }
#if VW > 1
    if (w->count % VW != 0 && w->count / VW % team == member) {
        const realv sum = exact_part(w, w->count / VW * VW, 0);
        twofold_add(&w->found.hi, &w->found.lo, sum);
    }
#endif
    return findings_of_lanes(w->found);
}

static inline findings task_share(place data, const launch *call, ulong row, uint chunk,
                                  uint member LAYOUT_PARAMETER)
{
    const ulong first = chunk * call->chunk;
    const ulong p_first = P_REACH == CONTIGUOUS ? first : 0;
    const ulong q_first = Q_REACH == CONTIGUOUS ? first : 0;
#if KEPT_AXES > 1
#define ROW_OFFSET(operand) offset_along(&lies->kept, KEPT_AXES, operand, (row_index)row)
#else
#define ROW_OFFSET(operand) (row * call->row_strides[operand])
#endif
    worker w;
    w.at.p_mean = data.p_mean + call->origins[0] + ROW_OFFSET(0) + p_first;
    w.at.p_scale = data.p_scale + call->origins[1] + ROW_OFFSET(1) + p_first;
    w.at.q_mean = data.q_mean + call->origins[2] + ROW_OFFSET(2) + q_first;
    w.at.q_scale = data.q_scale + call->origins[3] + ROW_OFFSET(3) + q_first;
    w.at.first = (row_index)first;
#if LAYOUT
    w.at.lies = lies;
#endif
    w.count = (uint)min(call->chunk, call->elements - first);
    w.low = (realv)(call->clamp_low);
    w.high = (realv)(call->clamp_high);
    w.found = nothing_found();
    return member_share(&w, member, call->team);
}

__kernel WORK_GROUP void clkl_diagonal(__global const real *restrict p_mean,
                                       __global const real *restrict p_scale,
                                       __global const real *restrict q_mean,
                                       __global const real *restrict q_scale,
                                       const launch call,
#if LAYOUT
                                       const layout lies,
#endif
                                       __global real *restrict result,
                                       __global uint *restrict status,
                                       __global uint *restrict clamp_counts,
                                       __global uchar *restrict scratch)
{
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0);
    const uint member = item & (call.team - 1);
    const outputs to = {result, status, clamp_counts, scratch};
    place data;
    data.p_mean = p_mean;
    data.p_scale = p_scale;
    data.q_mean = q_mean;
    data.q_scale = q_scale;

#if WG == 1
    const ulong begin = group * call.rounds, end = min(begin + call.rounds, call.tasks);
    for (ulong task = begin; task < end; ++task) {
        const ulong row = task / call.chunks;
        const uint chunk = (uint)(task - row * call.chunks);
        const findings found = task_share(data, &call, row, chunk, 0 LAYOUT_ARGUMENT);
        put(in_every_lane(found), row, chunk, 1, &call, &to);
    }
#else
    __local findings shared[WG];
    const ulong task = group * (WG / call.team) + item / call.team;
    const ulong row = task / call.chunks;
    const uint chunk = (uint)(task - row * call.chunks);
    findings found = findings_of_lanes(nothing_found());
    if (task < call.tasks)
        found = task_share(data, &call, row, chunk, member LAYOUT_ARGUMENT);
    found = team_join(found, shared, item, member, call.team, 1);
    if (task < call.tasks && member == 0)
        put(in_every_lane(found), row, chunk, 1, &call, &to);
#endif
}

#endif
