/* KL of diagonal Gaussians where neighbouring rows lie side by side: the sums over the batch for each
 * unit, say, or over channels for each position; or no sums at all, where every axis is kept.
 *
 * A task is one chunk of the elements of SLOTS * STRIP * VW neighbouring rows. Each slot of the work-group
 * takes STRIP vectors of rows; its team shares the chunk's elements in turn. A member goes down TILE
 * elements at a time (tile.clh), across all of its vectors, so that memory is read in long pieces, and
 * carries the sums of tiles in two words; then members, then chunks are joined as in rows.cl.
 *
 * Work-items that are neighbours take neighbouring rows. With WG > 1, AW and STRIP are 1.
 */
#if COLUMNS

#ifndef STRIP
#define STRIP 1 /* vectors of rows for one work-item */
#endif

/* What a work-item works on: rows from `row` on, elements first, first + team, ... before end. */
typedef struct {
    row_index row;
    row_index first, end;
    uint team;
} share;

/* Moves to vector `v` of the strip, where the tile's vectors reach as far below as `deepest`. */
static inline void move_to_column(place *at, const share *mine, uint v, const launch *call,
                                  const ulong deepest[4])
{
    const axes_table *axes = &at->lies->kept;
    at->row = mine->row + (row_index)(v * VW);
    at->together = within_run(axes, KEPT_AXES, at->row, VW);
    at->easy = ANY_SCATTERED ? 0 : at->together;
#pragma unroll
    for (int operand = FIRST_OPERAND; operand < END_OPERAND; ++operand) {
        at->column[operand] = offset_along(axes, KEPT_AXES, operand, at->row);
        at->easy &= at->column[operand] + deepest[operand] + VW <= call->extents[operand];
    }
}

/* The offsets of the tile that begins with an element, and the largest for each operand, which need
 * not be that of the last vector; returns the number of vectors. */
static inline uint go_down_to(const place *at, const share *mine, row_index element,
                              ulong below[4 * TILE], ulong deepest[4])
{
    const row_index left = (mine->end - element + (row_index)(mine->team - 1)) / mine->team;
    const uint vectors = (uint)min(left, (row_index)TILE);
#pragma unroll
    for (int operand = FIRST_OPERAND; operand < END_OPERAND; ++operand) {
#if REDUCED_AXES == 1
        below[operand] = element * at->lies->reduced.strides[9 * operand];
        deepest[operand] = below[operand] + (vectors - 1) * at->pitch[operand];
#else
        deepest[operand] = 0;
#pragma unroll
        for (uint i = 0; i < TILE; ++i) {
            below[TILE * operand + i] =
                offset_along(&at->lies->reduced, REDUCED_AXES, operand,
                             element + (row_index)(min(i, vectors - 1) * mine->team));
            deepest[operand] = max(deepest[operand], below[TILE * operand + i]);
        }
#endif
    }
    return vectors;
}

/* Which findings besides sums there can be. */
#define NEGATIVE_SCALES (P_SCALE >= VAR || Q_SCALE >= VAR)

static inline void sum_strip(worker *w, const share *mine, const launch *call, uint columns,
                             lane_findings strip[STRIP])
{
    ulong below[4 * TILE], deepest[4];
    w->at.below = below;
    for (uint v = 0; v < columns; ++v)
        strip[v] = nothing_found();
    for (row_index element = mine->first; element < mine->end;
         element += (row_index)(TILE * mine->team)) {
        const uint vectors = go_down_to(&w->at, mine, element, below, deepest);
        for (uint v = 0; v < columns; ++v) {
            move_to_column(&w->at, mine, v, call, deepest);
            w->found = nothing_found();
            const realv sum = tile_sum(w, 0, 1, vectors);
            twofold_add(&strip[v].hi, &strip[v].lo, sum);
#if NEGATIVE_SCALES
            strip[v].negative |= w->found.negative;
#endif
#if COUNT_CLAMPED
            strip[v].clamped_p += w->found.clamped_p;
            strip[v].clamped_q += w->found.clamped_q;
#endif
        }
    }
}

__kernel WORK_GROUP void clkl_diagonal(__global const real *restrict p_mean,
                                       __global const real *restrict p_scale,
                                       __global const real *restrict q_mean,
                                       __global const real *restrict q_scale,
                                       const launch call, const layout lies,
                                       __global real *restrict result,
                                       __global uint *restrict status,
                                       __global uint *restrict clamp_counts,
                                       __global uchar *restrict scratch)
{
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0);
    const uint slots = WG / call.team;
    const outputs to = {result, status, clamp_counts, scratch};
    worker w;
    w.at.p_mean = p_mean + call.origins[0];
    w.at.p_scale = p_scale + call.origins[1];
    w.at.q_mean = q_mean + call.origins[2];
    w.at.q_scale = q_scale + call.origins[3];
    w.at.lies = &lies;
    w.at.last_row = (row_index)(call.rows - 1);
    w.low = (realv)(call.clamp_low);
    w.high = (realv)(call.clamp_high);
#pragma unroll
    for (int operand = 0; operand < 4; ++operand)
        w.at.pitch[operand] = call.team * lies.reduced.strides[9 * operand + REDUCED_AXES - 1];

    lane_findings strip[STRIP];
    share mine;
    mine.team = call.team;
#if WG == 1
    const ulong begin = group * call.rounds, end = min(begin + call.rounds, call.tasks);
    for (ulong task = begin; task < end; ++task) {
        const ulong block = task / call.chunks;
        const uint chunk = (uint)(task - block * call.chunks);
        const ulong row = block * (STRIP * VW);
        const uint vectors = (uint)min((call.rows - row + VW - 1) / VW, (ulong)STRIP);
        mine.row = (row_index)row;
        mine.first = (row_index)(chunk * call.chunk);
        mine.end = (row_index)min(mine.first + call.chunk, call.elements);
        sum_strip(&w, &mine, &call, vectors, strip);
        for (uint v = 0; v < vectors; ++v)
            put(strip[v], row + v * VW, chunk, (uint)min(call.rows - row - v * VW, (ulong)VW),
                &call, &to);
    }
#else
    __local findings shared[WG];
    const uint slot = item % slots, member = item / slots;
    const ulong block = group / call.chunks;
    const uint chunk = (uint)(group - block * call.chunks);
    const ulong row = block * slots + slot;
    const ulong rows = call.tasks > 0 ? call.rows : 0; /* none to warm up */
    findings found = findings_of_lanes(nothing_found());
    if (row < rows) {
        mine.row = (row_index)row;
        mine.first = (row_index)(chunk * call.chunk) + (row_index)member;
        mine.end = (row_index)min((chunk + 1) * call.chunk, call.elements);
        sum_strip(&w, &mine, &call, 1, strip);
        found = findings_of_lanes(strip[0]);
    }
    found = team_join(found, shared, item, member, call.team, slots);
    if (row < rows && member == 0)
        put(in_every_lane(found), row, chunk, 1, &call, &to);
#endif
}

#endif
