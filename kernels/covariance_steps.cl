/* KL of Gaussians of many dimensions: the steps of covariance_solve.clh as kernels of their own, for
 * as many samples as are in flight. Each has tasks, and its groups take them in turn.
 *
 *   If the batch shares a side: factors, with PROLOGUE in `sides` and 1 sample.
 *   factors
 *   means       rows begin to end: all, or where WG > 1 one after the other
 *   compose     a precision beside something else: pass 0, columns likewise, the last first; then pass 1
 *   solve       rows likewise
 *   judge       rows likewise
 *   Where it can be near: difference; conjugate pass 0, then pass 1, rows likewise;
 *     for k: diagonal, panel pass EXCESS; excess pass 0, then pass 1
 *   shares, finish
 *
 * where `factors` are
 *
 *   read                                    pass FIRST
 *   If there is something to be factored:
 *     for k: diagonal, panel                row k = begin of tiles, pass FIRST
 *     if there is jitter: judge_factors, then read, diagonal, panel with pass JITTER
 *   turn        a precision beside something else
 */
#define STEP __kernel __attribute__((reqd_work_group_size(WG * TEAMS, 1, 1))) void
#define INPUTS                                                                           \
    __global const void *restrict p_mean, __global const void *restrict p_scale,        \
        __global const void *restrict q_mean, __global const void *restrict q_scale

/* With `number` the sample's among those in flight, and `task` the task's of that sample. Where a group
 * has several work-items there is one for each task, of as many samples as it has teams: that leaves
 * more registers, and fewer loop iterations to devices that count them. */
#if WG == 1
#define FOR_TASKS(per_sample)                                                                     \
    __local twofold shared[WG];                                                                   \
    const uint item = (uint)get_local_id(0);                                                      \
    const ulong group = get_group_id(0), groups = get_num_groups(0);                              \
    const uint tiles = (call.dimension + TILE_SIZE - 1) / TILE_SIZE;                              \
    const ulong tasks = (per_sample), all = tasks * call.samples;                                 \
    for (ulong number, task, at = group; task = at % tasks, number = at / tasks, at < all; at += groups)
#else
#define FOR_TASKS(per_sample)                                                                     \
    __local twofold of_all[WG * TEAMS];                                                           \
    const uint local_item = (uint)get_local_id(0), group = (uint)get_group_id(0);                 \
    const uint team = local_item / WG, all = (uint)call.samples;                                  \
    __local twofold *const shared = of_all + team * WG;                                           \
    const uint tiles = (call.dimension + TILE_SIZE - 1) / TILE_SIZE, tasks = (per_sample);        \
    const uint first_number = group / tasks * TEAMS, task = group % tasks;                        \
    const uint item = item_if(first_number + team < all, local_item % WG);                        \
    const uint number = min(first_number + team, all - 1);                                        \
    if (first_number < all)
#endif

/* Rows of tiles; there, too, it is one. */
#if WG == 1
#define FOR_ROWS(i, begin, end) for (uint i = (begin); i < (end); ++i)
#else
#define FOR_ROWS(i, begin, end) \
    const uint i = (begin);     \
    if (i < (end))
#endif

#define SAMPLE sample_at(scratch, &call, shared, number)

/* Whether a side, 0 for X, is to be factored in a pass. */
static inline int takes_part(const sample *s, const covariance_call *call, uint side)
{
    if (call->pass == PASS_EXCESS)
        return side == 0 && s->found[IS_NEAR] != 0.0f;
    if (!(side == 0 ? IS_FACTORED(X_FORM) : IS_FACTORED(Y_FORM)) || !makes(s->sides, side))
        return 0;
    return call->pass == PASS_FIRST || s->found[X_JITTER + side] != 0.0f;
}

/* Tasks: the tiles of X, those of Y, the vectors. */
STEP clkl_covariance_read(INPUTS, const covariance_call call, __global uchar *restrict scratch)
{
    const inputs from = {p_mean, p_scale, q_mean, q_scale};
    FOR_TASKS(2 * tiles * tiles + 1)
    {
        const sample s = SAMPLE;
        const ulong index = call.first + number;
        const uint side = (uint)(task % 2), i = (uint)(task / 2 / tiles), j = (uint)(task / 2 % tiles);
        const int first = call.pass == PASS_FIRST, prologue = (s.sides & PROLOGUE) != 0;
        if (task == tasks - 1) {
            if (first)
                read_vectors(&s, &from, &call, index, item);
        } else if (i <= j) {
            const int counts = first || takes_part(&s, &call, side);
            const uint who = item_if(counts, item);
            const operand x = operand_of(&from, &call, X_SCALE, index);
            const operand y = operand_of(&from, &call, Y_SCALE, index);
            const real jitter = first ? (real)0.0f : s.found[X_JITTER + side];
            IF_ANY(counts)
            {
                if (side == 0 && (!prologue || makes(s.sides, 0)))
                    read_x(&s, &x, i, j, jitter, who);
                if (side == 1 && makes(s.sides, 1))
                    read_y(&s, &y, i, j, jitter, who);
            }
        }
    }
}

/* Intel's compiler takes 32 lanes at once, which in double precision have too few registers here. */
#if FP64 && defined(cl_intel_required_subgroup_size)
__attribute__((intel_reqd_sub_group_size(16)))
#endif
STEP clkl_covariance_diagonal(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(2)
    {
        const sample s = SAMPLE;
        const matrix m = task == 0 ? s.x : s.r;
        const int counts = takes_part(&s, &call, (uint)task);
        IF_ANY(counts)
            factor_step(&m, call.begin, call.pass == PASS_EXCESS, item_if(counts, item));
    }
}

STEP clkl_covariance_panel(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(2 * (tiles - call.begin - 1))
    {
        const sample s = SAMPLE;
        const matrix m = task % 2 == 0 ? s.x : s.r;
        const int counts = takes_part(&s, &call, (uint)(task % 2));
        IF_ANY(counts)
            panel_step(&m, call.begin, call.begin + 1 + (uint)(task / 2), item_if(counts, item));
    }
}

/* Notes which sides are to be factored once more, and with what on the diagonal. */
STEP clkl_covariance_judge_factors(INPUTS, const covariance_call call,
                                   __global uchar *restrict scratch)
{
    const inputs from = {p_mean, p_scale, q_mean, q_scale};
    FOR_TASKS(2)
    {
        const sample s = SAMPLE;
        const matrix m = task == 0 ? s.x : s.r;
        const ulong index = call.first + number;
        const int counts = takes_part(&s, &call, (uint)task); /* the same for all samples here */
        const int failed =
            counts && first_failure(&s, &m, task == 0 ? X_FORM : Y_FORM, item) != 0.0f;
        if ((TEAMS > 1 || failed) && counts)
        {
            const operand x = operand_of(&from, &call, X_SCALE, index);
            const operand y = operand_of(&from, &call, Y_SCALE, index);
            const real jitter = real_of(call.jitter);
            const real added = task == 0 ? jitter_of(&s, &x, X_TYPE, jitter, item)
                                         : jitter_of(&s, &y, Y_TYPE, jitter, item);
            if (item == 0 && failed)
                s.found[X_JITTER + task] = added;
        }
    }
}

/* ---- Means and products ---- */

/* Tasks: where Q's precision multiplies, tiles; else one that solves for all of them. */
STEP clkl_covariance_means(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(MULTIPLIES ? call.end - call.begin : 1)
    {
        const sample s = SAMPLE;
        const uint begin = call.begin + (MULTIPLIES ? (uint)task : 0);
        FOR_ROWS(i, begin, MULTIPLIES ? begin + 1 : call.end)
            means_step(&s, i, item);
    }
}

#if MIXED
/* Tasks: the tiles of Y, which is mirrored, and those of X, the lower of which get its factor. */
STEP clkl_covariance_turn(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(2 * tiles * tiles)
    {
        const sample s = SAMPLE;
        const uint i = (uint)(task / 2 / tiles), j = (uint)(task / 2 % tiles);
        if (task % 2 == 1 && i <= j && i + j < tiles && makes(s.sides, 1))
            mirror_step(&s, i, j, item);
        if (task % 2 == 0 && i >= j && (s.sides & PROLOGUE) == 0)
            transpose_step(&s, i, j, 1, item);
    }
}

/* Tasks: rows of tiles. The product of the factors, columns begin to end of tiles, the last first; then,
 * where it is solved with, it becomes Y. */
STEP clkl_covariance_compose(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(tiles)
    {
        const sample s = SAMPLE;
        if (call.pass == 0) {
#if WG == 1
            for (uint i = call.end; i-- > max(call.begin, (uint)task);)
                compose_step(&s, (uint)task, i, item);
#else
            if (call.begin >= task)
                compose_step(&s, (uint)task, call.begin, item);
#endif
        } else if (Y_CHANGES)
            adopt_step(&s, (uint)task, item);
    }
}
#endif

/* ---- E ---- */

/* Tasks: columns of tiles. */
STEP clkl_covariance_solve(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(tiles)
    {
        const sample s = SAMPLE;
        if (!MIXED || Y_CHANGES) {
            FOR_ROWS(i, max(call.begin, (uint)task), call.end)
                solve_step(&s, i, (uint)task, item);
        } else if (call.begin == 0) {
            excess_squares(&s, (uint)task, 1, item);
        }
    }
}

STEP clkl_covariance_judge(INPUTS, const covariance_call call, __global uchar *restrict scratch)
{
    const inputs from = {p_mean, p_scale, q_mean, q_scale};
    FOR_TASKS(1)
    {
        const sample s = SAMPLE;
        const operand x = operand_of(&from, &call, X_SCALE, call.first + number);
        const operand y = operand_of(&from, &call, Y_SCALE, call.first + number);
        if (call.begin == 0) {
            note_factors(&s, item);
            judge(&s, real_of(call.near), item);
        }
        note_infinite(&s, &x, &y, call.begin, call.end, item);
    }
}

/* ---- Where it is near ---- */

#if CAN_BE_NEAR
/* Whoever computes a row of L L^T takes its time: PIECES of a tile. */
#if WG > 1 && (X_FORM == TRIL || Y_FORM == TRIL)
#define PIECES 8
#else
#define PIECES 1
#endif

STEP clkl_covariance_difference(__global const void *restrict p_scale,
                                __global const void *restrict q_scale, const covariance_call call,
                                __global uchar *restrict scratch)
{
    const inputs from = {p_scale, p_scale, q_scale, q_scale};
    FOR_TASKS(tiles * tiles * PIECES)
    {
        const sample s = SAMPLE;
        const uint at_tile = (uint)(task / PIECES), i = at_tile / tiles, j = at_tile % tiles;
        const uint begin = (uint)(task % PIECES) * (TILE_ELEMENTS / PIECES);
        const int near = s.found[IS_NEAR] != 0.0f;
        const uint who = item_if(near, item);
        if ((TEAMS > 1 || near) && i <= j) {
            const operand x = operand_of(&from, &call, X_SCALE, call.first + number);
            const operand y = operand_of(&from, &call, Y_SCALE, call.first + number);
            read_difference(&s, &x, &y, i, j, begin, begin + TILE_ELEMENTS / PIECES, who);
        }
    }
}

/* Tasks: columns of tiles. First, with pass 0, L_y^-1 (S_x - S_y), in full; then, with pass 1, the
 * upper tiles of L_y^-1 times its transpose. */
STEP clkl_covariance_conjugate(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(tiles)
    {
        const sample s = SAMPLE;
        const uint j = (uint)task, end = call.pass == 0 ? call.end : min(call.end, j + 1);
        const int near = s.found[IS_NEAR] != 0.0f;
        const uint who = item_if(near, item);
        IF_ANY(near)
        {
            FOR_ROWS(i, call.begin, end)
            {
                if (call.pass != 0)
                    transpose_step(&s, i, j, 0, who);
                forward_step(&s, i, j, 0, who);
            }
        }
    }
}

/* Tasks: with pass 0, columns of tiles; then, with pass 1, one. */
STEP clkl_covariance_excess(const covariance_call call, __global uchar *restrict scratch)
{
    FOR_TASKS(call.pass == 0 ? tiles : 1)
    {
        const sample s = SAMPLE;
        const int near = s.found[IS_NEAR] != 0.0f;
        const uint who = item_if(near, item);
        IF_ANY(near)
        {
            if (call.pass == 0)
                excess_squares(&s, (uint)task, 0, who);
            else
                note_covariance(&s, sum_covariance(&s, who), who);
        }
    }
}
#endif

/* ---- Results ---- */

/* Tasks: rows of tiles. */
STEP clkl_covariance_shares(const covariance_call call, __global real *restrict shares,
                            __global uchar *restrict scratch)
{
    FOR_TASKS(tiles)
    {
        const sample s = SAMPLE;
        put_shares(&s, shares + call.shares_origin + 2 * (call.first + number) * call.dimension,
                   (uint)task, item);
    }
}

STEP clkl_covariance_finish(const covariance_call call, __global real *restrict result,
                            __global real *restrict parts, __global uint *restrict status,
                            __global uchar *restrict scratch)
{
    const outputs to = {result + call.values_origin, parts + call.parts_origin, result,
                        status + call.status_origin};
    FOR_TASKS(1)
    {
        const sample s = SAMPLE;
        finish(&s, &to, call.first + number, item);
    }
}
