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

/* Where the first vector of a strip lies, and whether the others follow side by side. */
typedef struct {
    ulong column[OPERANDS];
    int straight;
} strip_place;

static inline strip_place place_strip(const layout *lies, const share *mine, uint columns)
{
    strip_place strip;
    strip.straight = !ANY_REACH(SCATTERED) &&
                     within_run(lies->kept_extents, KEPT_AXES, mine->row, columns * VW);
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand)
        if (HAS(operand))
            strip.column[operand] = row_offset(lies, operand, mine->row);
    return strip;
}

/* Whether all that a tile spans of a strip may be read, where it reaches as far below as `deepest`. */
static inline int strip_is_easy(const strip_place *strip, uint columns, const launch *call,
                                const ulong deepest[OPERANDS])
{
    int easy = strip->straight;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand)
        if (HAS(operand) && REACH_OF(operand) != REPEATED)
            easy &=
                strip->column[operand] + deepest[operand] + columns * VW <= call->extents[operand];
    return easy;
}

/* Moves to vector `v` of an easy strip. */
static inline void move_along(place *at, const share *mine, uint v, const strip_place *strip)
{
    at->row = mine->row + (row_index)(v * VW);
    at->together = at->easy = 1;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand)
        if (HAS(operand))
            at->column[operand] =
                strip->column[operand] + (REACH_OF(operand) == REPEATED ? 0 : v * VW);
}

/* Moves to vector `v` of any strip, where the tile's vectors reach as far below as `deepest`. */
static inline void move_to_column(place *at, const share *mine, uint v, const launch *call,
                                  const ulong deepest[OPERANDS])
{
    at->row = mine->row + (row_index)(v * VW);
    at->together = within_run(at->lies->kept_extents, KEPT_AXES, at->row, VW);
    at->easy = ANY_REACH(SCATTERED) ? 0 : at->together;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand) {
        if (!HAS(operand))
            continue;
        at->column[operand] = row_offset(at->lies, operand, at->row);
        if (REACH_OF(operand) != REPEATED)
            at->easy &= at->column[operand] + deepest[operand] + VW <= call->extents[operand];
    }
}

/* The offsets of the tile that begins with an element, and the largest for each operand, which need
 * not be that of the last vector; returns the number of vectors. */
static inline uint go_down_to(const place *at, const share *mine, row_index element,
                              ulong below[OPERANDS * TILE], ulong deepest[OPERANDS])
{
    const row_index left = (mine->end - element + (row_index)(mine->team - 1)) / mine->team;
    const uint vectors = (uint)min(left, (row_index)TILE);
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand) {
        if (!HAS(operand))
            continue;
#if REDUCED_AXES == 1
        below[operand] = element * at->lies->reduced_strides[operand];
        deepest[operand] = below[operand] + (vectors - 1) * at->pitch[operand];
#else
        deepest[operand] = 0;
#pragma unroll
        for (uint i = 0; i < TILE; ++i) {
            below[TILE * operand + i] =
                element_offset(at->lies, operand,
                               element + (row_index)(min(i, vectors - 1) * mine->team));
            deepest[operand] = max(deepest[operand], below[TILE * operand + i]);
        }
#endif
    }
    return vectors;
}

/* What is prefetched is the same column's part of a tile further down, as far as PREFETCH_DISTANCE
 * elements of the strip take, or behind the last element that of the next strip: so memory is fetched
 * in the order in which it will be read, whatever lies between the rows. */
static inline void look_ahead(place *at, const share *mine, row_index element, ulong elements,
                              uint tiles)
{
#if PREFETCH_DISTANCE > 0
    const ulong below = element + (ulong)tiles * TILE * mine->team;
    const int here = below < elements;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand)
        if (HAS(operand))
            at->ahead[operand] =
                element_offset(at->lies, operand, here ? (row_index)below : 0) +
                (here ? 0 : STRIP * VW) - element_offset(at->lies, operand, element);
#endif
}

/* The sums of a strip, and what else may be found. */
typedef struct {
    realv hi[SUM_ROOM][STRIP], lo[SUM_ROOM][STRIP];
#if NEGATIVE_SCALES
    intv negative[STRIP];
#endif
#if COUNT_CLAMPED
    intv clamped_p[STRIP], clamped_q[STRIP];
#endif
} strip_findings;

static inline void add_to_strip(strip_findings *strip, uint v, const lane_findings *found)
{
#pragma unroll
    for (int i = 0; i < SUMS; ++i) {
        twofold_add(&strip->hi[i][v], &strip->lo[i][v], found->hi[i]);
#if GRADIENTS
        strip->lo[i][v] += found->lo[i];
#endif
    }
#if NEGATIVE_SCALES
    strip->negative[v] |= found->negative;
#endif
#if COUNT_CLAMPED
    strip->clamped_p[v] += found->clamped_p;
    strip->clamped_q[v] += found->clamped_q;
#endif
}

static inline void clear_strip(strip_findings *strip, uint v)
{
#pragma unroll
    for (int i = 0; i < SUM_ROOM; ++i)
        strip->hi[i][v] = strip->lo[i][v] = (realv)(0.0f);
#if NEGATIVE_SCALES
    strip->negative[v] = (intv)(0);
#endif
#if COUNT_CLAMPED
    strip->clamped_p[v] = strip->clamped_q[v] = (intv)(0);
#endif
}

static inline lane_findings in_strip(const strip_findings *strip, uint v)
{
    lane_findings found = nothing_found();
#pragma unroll
    for (int i = 0; i < SUMS; ++i) {
        found.hi[i] = strip->hi[i][v];
        found.lo[i] = strip->lo[i][v];
    }
#if NEGATIVE_SCALES
    found.negative = strip->negative[v];
#endif
#if COUNT_CLAMPED
    found.clamped_p = strip->clamped_p[v];
    found.clamped_q = strip->clamped_q[v];
#endif
    return found;
}

static inline void sum_strip(worker *w, const share *mine, const launch *call, uint columns,
                             strip_findings *strip)
{
    ulong below[OPERANDS * TILE], deepest[OPERANDS];
    const strip_place strip_at = place_strip(w->at.lies, mine, columns);
    const uint tiles_ahead = 1 + PREFETCH_DISTANCE / (TILE * VW * columns);
    w->at.below = below;
    for (uint v = 0; v < columns; ++v)
        clear_strip(strip, v);
    for (row_index element = mine->first; element < mine->end;
         element += (row_index)(TILE * mine->team)) {
        const uint vectors = go_down_to(&w->at, mine, element, below, deepest);
        look_ahead(&w->at, mine, element, call->elements, tiles_ahead);
        const int easy = STRIP > 1 && strip_is_easy(&strip_at, columns, call, deepest);
        for (uint v = 0; v < columns; ++v) {
            if (easy)
                move_along(&w->at, mine, v, &strip_at);
            else
                move_to_column(&w->at, mine, v, call, deepest);
            w->found = nothing_found();
#if GRADIENTS
            take_tile(w, 0, 1, vectors);
#else
            w->found.hi[0] = tile_sum(w, 0, 1, vectors);
#endif
            add_to_strip(strip, v, &w->found);
        }
    }
}

__kernel WORK_GROUP void clkl_diagonal(INPUT_PARAMETERS, const launch call,
                                       LAYOUT_PARAMETER OUTPUT_PARAMETERS)
{
    const ulong group = get_group_id(0);
    const outputs to = OUTPUT_ARRAYS;
    const place data = {INPUT_ARRAYS};
    const layout *lies = LAYOUT_OF_CALL;
    worker w;
#pragma unroll
    for (int operand = 0; operand < OPERANDS; ++operand) {
        if (!HAS(operand))
            continue;
        w.at.arrays[operand] =
            element_at(data.arrays[operand], TYPE_OF(operand), call.origins[operand]);
        w.at.pitch[operand] =
            call.team * lies->reduced_strides[REDUCED_AXES * operand + REDUCED_AXES - 1];
    }
#if GRADIENTS
#pragma unroll
    for (int operand = 0; operand < 4; ++operand)
        if (MAP_OF(operand))
            w.gradients[operand] = (__global void *)element_at(to.gradients[operand], G_TYPE,
                                                               call.gradient_origins[operand]);
    prepare_gradients(&w, &call);
#endif
    w.at.lies = lies;
    w.at.last_row = (row_index)(call.rows - 1);
    w.low = (realv)(real_of(call.clamp_low));
    w.high = (realv)(real_of(call.clamp_high));

    strip_findings strip;
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
        sum_strip(&w, &mine, &call, vectors, &strip);
        for (uint v = 0; v < vectors; ++v)
            put(in_strip(&strip, v), row + v * VW, chunk,
                (uint)min(call.rows - row - v * VW, (ulong)VW), &call, lies, &to);
    }
#else
    const uint item = (uint)get_local_id(0);
    const uint slots = WG / call.team;
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
        sum_strip(&w, &mine, &call, 1, &strip);
        found = findings_of_lanes(in_strip(&strip, 0));
    }
#if SUMS > 0
    __local findings shared[WG];
    found = team_join(found, shared, item, member, call.team, slots);
#endif
    if (row < rows && member == 0)
        put(in_every_lane(found), row, chunk, 1, &call, lies, &to);
#endif
}

#endif
