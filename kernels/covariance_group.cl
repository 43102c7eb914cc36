/* KL of Gaussians of middling dimensions: a work-group per sample. Where the batch shares a side, a
 * prologue factors it before: one group, clkl_covariance_group_shared.
 */
static inline void factor_tiles(const sample *s, const matrix *m, int excess, uint item)
{
    for (uint k = 0; k < s->tiles; ++k) {
        factor_step(m, k, excess, item);
        for (uint j = k + 1; j < s->tiles; ++j)
            panel_step(m, k, j, item);
    }
}

static inline void read_tiles(const sample *s, const int side, const operand *from, real jitter,
                              uint item)
{
    for (uint j = 0; j < s->tiles; ++j) {
        for (uint i = 0; i <= j; ++i) {
            if (side == 0)
                read_x(s, from, i, j, jitter, item);
            else
                read_y(s, from, i, j, jitter, item);
        }
    }
}

/* The factor of a side, 0 for X; where it fails, once more with jitter if there is any. */
static inline void make_factor(const sample *s, const int side, const operand *from, real jitter,
                               uint item)
{
    const int form = side == 0 ? X_FORM : Y_FORM;
    const matrix *m = side == 0 ? &s->x : &s->r;
    real added = 0.0f;
    for (int pass = PASS_FIRST; pass <= PASS_JITTER; ++pass) {
        read_tiles(s, side, from, added, item);
        if (!IS_FACTORED(form) || !makes(s->sides, side))
            return;
        factor_tiles(s, m, 0, item);
        if (!(jitter > 0.0f) || first_failure(s, m, form, item) == 0.0f)
            return;
        if (pass == PASS_FIRST) {
            added = jitter_of(s, from, side == 0 ? X_TYPE : Y_TYPE, jitter, item);
            if (item == 0)
                s->found[X_JITTER + side] = added;
            WAIT();
        }
    }
}

/* Both factors, or those that are made here. */
static inline void make_factors(const sample *s, const inputs *from, const covariance_call *call,
                                ulong index, uint item)
{
    const operand x = operand_of(from, call, X_SCALE, index);
    const operand y = operand_of(from, call, Y_SCALE, index);
    const int prologue = (s->sides & PROLOGUE) != 0;
    read_vectors(s, from, call, index, item);
    if (!prologue || makes(s->sides, 0))
        make_factor(s, 0, &x, real_of(call->jitter), item);
    if (makes(s->sides, 1)) {
        make_factor(s, 1, &y, real_of(call->jitter), item);
#if MIXED
        for (uint i = 0; i < s->tiles; ++i) {
            for (uint j = i; j < s->tiles - i; ++j)
                mirror_step(s, i, j, item);
        }
#endif
    }
}

/* The means, and E or, where Q's precision multiplies, I + E^T in X's upper tiles. */
static inline void solve_all(const sample *s, uint item)
{
    for (uint i = 0; i < s->tiles; ++i)
        means_step(s, i, item);
#if MIXED
    for (uint j = 0; j < s->tiles; ++j) {
        for (uint i = j; i < s->tiles; ++i)
            transpose_step(s, i, j, 1, item);
    }
    for (uint j = 0; j < s->tiles; ++j) {
        for (uint i = s->tiles; i-- > j;)
            compose_step(s, j, i, item);
    }
    for (uint j = 0; Y_CHANGES && j < s->tiles; ++j)
        adopt_step(s, j, item);
#endif
    for (uint j = 0; j < s->tiles; ++j) {
        if (Y_MULTIPLIES)
            excess_squares(s, j, 1, item);
        for (uint i = j; !Y_MULTIPLIES && i < s->tiles; ++i)
            solve_step(s, i, j, item);
    }
}

/* F in the place of E. */
static inline void refine(const sample *s, const operand *x, const operand *y, uint item)
{
    for (uint j = 0; j < s->tiles; ++j) {
        for (uint i = 0; i <= j; ++i)
            read_difference(s, x, y, i, j, 0, TILE_ELEMENTS, item);
    }
    for (uint side = 0; side < 2; ++side) {
        for (uint j = 0; j < s->tiles; ++j) {
            for (uint i = 0; i < (side == 0 ? s->tiles : j + 1); ++i) {
                if (side == 1)
                    transpose_step(s, i, j, 0, item);
                forward_step(s, i, j, 0, item);
            }
        }
    }
    factor_tiles(s, &s->x, 1, item);
    for (uint j = 0; j < s->tiles; ++j)
        excess_squares(s, j, 0, item);
    note_covariance(s, sum_covariance(s, item), item);
}

#define GROUP __kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
#define INPUTS                                                                           \
    __global const void *restrict p_mean, __global const void *restrict p_scale,        \
        __global const void *restrict q_mean, __global const void *restrict q_scale

GROUP clkl_covariance_group_shared(INPUTS, const covariance_call call,
                                   __global uchar *restrict scratch)
{
    __local twofold shared[WG];
    const uint item = (uint)get_local_id(0);
    const inputs from = {p_mean, p_scale, q_mean, q_scale};
    const sample s = sample_at(scratch, &call, shared, 0);
    make_factors(&s, &from, &call, call.first, item);
}

GROUP clkl_covariance_group(INPUTS, const covariance_call call, __global real *restrict result,
                            __global real *restrict parts, __global real *restrict shares,
                            __global uint *restrict status, __global uchar *restrict scratch)
{
    __local twofold shared[WG];
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0), groups = get_num_groups(0);
    const inputs from = {p_mean, p_scale, q_mean, q_scale};
    const outputs to = {result + call.values_origin, parts + call.parts_origin,
                        shares + call.shares_origin, status + call.status_origin};
    const sample s = sample_at(scratch, &call, shared, group);
    for (ulong at = group; at < call.samples; at += groups) {
        const ulong index = call.first + at;
        const operand x = operand_of(&from, &call, X_SCALE, index);
        const operand y = operand_of(&from, &call, Y_SCALE, index);
        make_factors(&s, &from, &call, index, item);
        note_factors(&s, item);
        solve_all(&s, item);
        judge(&s, real_of(call.near), item);
        note_infinite(&s, &x, &y, 0, s.tiles, item);
        if (CAN_BE_NEAR && s.found[IS_NEAR] != 0.0f)
            refine(&s, &x, &y, item);
#if SHARES
        for (uint i = 0; i < s.tiles; ++i)
            put_shares(&s, to.shares + 2 * index * call.dimension, i, item);
#endif
        finish(&s, &to, index, item);
    }
}
