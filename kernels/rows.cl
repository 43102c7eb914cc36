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

/* What one member of a team finds in its share of a task. */
static inline findings member_share(worker *w, uint member, uint team)
{
    const uint step = VW * team;
    for (uint index = VW * member; index + VW <= w->count; index += TILE * step) {
        const uint vectors = TILE == 1 ? 1 : min((w->count - index - VW) / step + 1, (uint)TILE);
        move_to_tile(&w->at, index, (vectors - 1) * step + VW);
        take_tile(w, index, step, vectors);
    }
#if VW > 1
    if (w->count % VW != 0 && w->count / VW % team == member) {
        take_rest(w, w->count / VW * VW);
    }
#endif
    return findings_of_lanes(w->found);
}

static inline findings task_share(place data, const launch *call, ulong row, uint chunk,
                                  uint member, const layout *lies, const outputs *to)
{
    const ulong first = chunk * call->chunk;
#if KEPT_AXES > 1
#define ROW_OFFSET(operand) row_offset(lies, operand, (row_index)row)
#else
#define ROW_OFFSET(operand) (row * call->row_strides[operand])
#endif
#define TASK_OFFSET(operand) \
    (ROW_OFFSET(operand) + (REACH_OF(operand) == CONTIGUOUS ? first : 0))
    worker w;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand)
        if (HAS(operand))
            w.at.arrays[operand] =
                element_at(data.arrays[operand], TYPE_OF(operand),
                           call->origins[operand] + TASK_OFFSET(operand));
#if GRADIENTS
#pragma unroll
    for (int operand = 0; operand < 4; ++operand)
        if (MAP_OF(operand))
            w.gradients[operand] = (__global void *)element_at(
                to->gradients[operand], G_TYPE,
                call->gradient_origins[operand] + TASK_OFFSET(operand));
    prepare_gradients(&w, call);
#endif
    w.at.first = (row_index)first;
    w.at.run_end = 0; /* none entered yet */
    w.at.lies = lies;
    w.count = (uint)min(call->chunk, call->elements - first);
    w.low = (realv)(real_of(call->clamp_low));
    w.high = (realv)(real_of(call->clamp_high));
    w.found = nothing_found();
    return member_share(&w, member, call->team);
}

__kernel WORK_GROUP void clkl_diagonal(INPUT_PARAMETERS, const launch call,
                                       LAYOUT_PARAMETER OUTPUT_PARAMETERS)
{
    const ulong group = get_group_id(0);
    const layout *lies = LAYOUT_OF_CALL;
    const outputs to = OUTPUT_ARRAYS;
    const place data = {INPUT_ARRAYS};

#if WG == 1
    const ulong begin = group * call.rounds, end = min(begin + call.rounds, call.tasks);
    for (ulong task = begin; task < end; ++task) {
        const ulong row = task / call.chunks;
        const uint chunk = (uint)(task - row * call.chunks);
        const findings found = task_share(data, &call, row, chunk, 0, lies, &to);
        put(in_every_lane(found), row, chunk, 1, &call, lies, &to);
    }
#else
    const uint item = (uint)get_local_id(0), member = item & (call.team - 1);
    const ulong task = group * (WG / call.team) + item / call.team;
    const ulong row = task / call.chunks;
    const uint chunk = (uint)(task - row * call.chunks);
    findings found = findings_of_lanes(nothing_found());
    if (task < call.tasks)
        found = task_share(data, &call, row, chunk, member, lies, &to);
#if SUMS > 0
    __local findings shared[WG];
    found = team_join(found, shared, item, member, call.team, 1);
#endif
    if (task < call.tasks && member == 0)
        put(in_every_lane(found), row, chunk, 1, &call, lies, &to);
#endif
}

#endif
