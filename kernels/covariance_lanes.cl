/* KL of Gaussians of few dimensions: one sample per lane, VW samples at a time, in private memory.
 */
typedef struct {
    realv hi, lo;
} lane_sum;

static inline void lane_add(lane_sum *sum, realv term)
{
    twofold_add(&sum->hi, &sum->lo, term);
}

static inline realv lane_value(lane_sum sum)
{
    return fabs(sum.hi) <= (realv)(REAL_MAX) ? sum.hi + sum.lo : sum.hi;
}

/* What is found about the samples in the lanes. */
typedef struct {
    lane_sum covariance, mean;
    intv failed[2]; /* first bad pivot, of X and of Y */
    intv few[2];
    realv added[2]; /* to the diagonals */
    intv no_mean;     /* the distance of the means is NaN somewhere */
    intv far;         /* coordinate from which on it is infinite */
#if SHARES
    realv shares[4 * MAX_BLOCKS];
    realv mean_shares[4 * MAX_BLOCKS];
#endif
} lane_result;

static inline void add_row(lane_result *found, int row, realv psi, lane_sum squares)
{
    lane_add(&found->covariance, psi);
    lane_add(&found->covariance, 0.5f * squares.hi);
    found->covariance.lo += 0.5f * squares.lo;
#if SHARES
    found->shares[row] = psi + 0.5f * (squares.hi + squares.lo);
#endif
}

/* ---- E ---- */

/* Row i of blocks of E, in X's place, and what it adds. */
static inline void solve_row(realv *x, const realv *u, const realv *inverse, int i,
                             lane_result *found)
{
    realv psi[4];
    lane_sum squares[4];
#pragma unroll
    for (int row = 0; row < 4; ++row) {
        psi[row] = psi_of_pair(x[BLOCK_AT(i, i) + 5 * row], u[BLOCK_AT(i, i) + 5 * row]);
        squares[row].hi = squares[row].lo = (realv)(0.0f);
    }
    for (int j = 0; j <= i; ++j) {
        realv e[BLOCK_SIZE];
        const realv *lx = x + BLOCK_AT(j, i), *ly = u + BLOCK_AT(j, i);
#pragma unroll
        for (int k = 0; k < BLOCK_SIZE; ++k)
            e[k] = i == j && k % 4 > k / 4 ? (realv)(0.0f)
                                           : lx[k % 4 * 4 + k / 4] - ly[k % 4 * 4 + k / 4];
        for (int k = IS_DIAGONAL(Y_FORM) ? i : j; k < i; ++k)
            block_less(e, u + BLOCK_AT(k, i), x + BLOCK_AT(j, k));
        block_forward(e, u + BLOCK_AT(i, i), inverse + 4 * i);
        block_copy(x + BLOCK_AT(j, i), e);
#pragma unroll
        for (int row = 0; row < 4; ++row) {
            realv sum = e[4 * row] * e[4 * row];
#pragma unroll
            for (int column = 1; column < 4; ++column)
                sum = fma(e[4 * row + column], e[4 * row + column], sum);
            lane_add(&squares[row], sum);
        }
    }
#pragma unroll
    for (int row = 0; row < 4; ++row)
        add_row(found, 4 * i + row, psi[row], squares[row]);
}

/* ---- F, or a product of factors ---- */

/* What row j of blocks of F adds; F^T, or I + F^T if it is a `product`, stands in the upper blocks. */
static inline void add_excess_row(const realv *f, int j, const int product, lane_result *found)
{
    lane_sum squares[4];
#pragma unroll
    for (int row = 0; row < 4; ++row)
        squares[row].hi = squares[row].lo = (realv)(0.0f);
    for (int i = 0; i <= j; ++i) {
        const realv *block = f + BLOCK_AT(i, j);
#pragma unroll
        for (int row = 0; row < 4; ++row) {
            realv sum = (realv)(0.0f);
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                const realv x = block[4 * k + row] - (product && i == j && k == row ? 1.0f : 0.0f);
                sum = i < j || k <= row ? fma(x, x, sum) : sum;
            }
            lane_add(&squares[row], sum);
        }
    }
#pragma unroll
    for (int row = 0; row < 4; ++row) {
        const realv x = f[BLOCK_AT(j, j) + 5 * row];
        add_row(found, 4 * j + row, product ? psi_of_pair(x, (realv)(1.0f)) : psi_of_excess(x),
                squares[row]);
    }
}

#if CAN_BE_NEAR

/* The covariances' part from M, for those lanes where it is small. */
static inline void refine(const operand *x_from, const operand *y_from, int dimension, int blocks,
                          realv *x, const realv *u, const realv *inverse, real near,
                          lane_result *found)
{
    const intv small = lane_value(found->covariance) < (realv)(near);
    if (!any_lane(small))
        return;
    lane_result again = *found;
    realv one_plus[4 * MAX_BLOCKS];
    intv unused = (intv)(0);
    read_difference(x_from, y_from, dimension, blocks, found->added[0] - found->added[1], x);
    conjugate(x, u, inverse, blocks);
    factor(x, one_plus, blocks, 1, &unused);
    again.covariance.hi = again.covariance.lo = (realv)(0.0f);
    for (int j = 0; j < blocks; ++j)
        add_excess_row(x, j, 0, &again);
    found->covariance.hi = small ? again.covariance.hi : found->covariance.hi;
    found->covariance.lo = small ? again.covariance.lo : found->covariance.lo;
#if SHARES
    for (int i = 0; i < 4 * blocks; ++i)
        found->shares[i] = small ? again.shares[i] : found->shares[i];
#endif
}
#endif

/* ---- Means ---- */

/* Finite distances, with 0 for those that are not. */
static inline void read_mean_difference(const operand *p, const operand *q, int dimension, int i,
                                        realv *d, lane_result *found)
{
    realv a[4] = {(realv)(0.0f), (realv)(0.0f), (realv)(0.0f), (realv)(0.0f)};
    realv b[4] = {(realv)(0.0f), (realv)(0.0f), (realv)(0.0f), (realv)(0.0f)};
    if (P_FORM != UNIT)
        read_vector(p, P_TYPE, dimension, i, 0.0f, a);
    if (Q_FORM != UNIT)
        read_vector(q, Q_TYPE, dimension, i, 0.0f, b);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
        d[k] = a[k] - b[k];
        const intv finite = fabs(d[k]) <= (realv)(REAL_MAX);
        found->no_mean = d[k] == d[k] ? found->no_mean : (intv)(1);
        found->far = finite ? found->far : min(found->far, (intv)(4 * i + k));
        d[k] = finite ? d[k] : (realv)(0.0f);
    }
}

static inline void add_means(lane_result *found, int i, const realv *y)
{
#pragma unroll
    for (int row = 0; row < 4; ++row) {
        lane_add(&found->mean, 0.5f * y[row] * y[row]);
#if SHARES
        found->mean_shares[4 * i + row] = 0.5f * y[row] * y[row];
#endif
    }
}

/* y = U^-T y */
static inline void solve_means(int blocks, const realv *u, const realv *inverse,
                               const int is_diagonal, realv *y, lane_result *found)
{
    for (int i = 0; i < blocks; ++i) {
        realv *c = y + 4 * i;
        for (int k = is_diagonal ? i : 0; k < i; ++k) {
#pragma unroll
            for (int e = 0; e < BLOCK_SIZE; ++e)
                c[e % 4] = fma(-u[BLOCK_AT(k, i) + e], y[4 * k + e / 4], c[e % 4]);
        }
#pragma unroll
        for (int row = 0; row < 4; ++row) {
#pragma unroll
            for (int k = 0; k < row; ++k)
                c[row] = fma(-u[BLOCK_AT(i, i) + 4 * k + row], c[k], c[row]);
            c[row] *= inverse[4 * i + row];
        }
        add_means(found, i, c);
    }
}

/* U y, U being the factor of Q's precision; with `transposed`, U^T y. */
static inline void multiply_means(int blocks, const realv *u, const int transposed, const realv *y,
                                  lane_result *found)
{
    for (int i = 0; i < blocks; ++i) {
        realv c[4] = {(realv)(0.0f), (realv)(0.0f), (realv)(0.0f), (realv)(0.0f)};
        for (int k = transposed ? 0 : i; k < (transposed ? i + 1 : blocks); ++k) {
            const realv *block = transposed ? u + BLOCK_AT(k, i) : u + BLOCK_AT(i, k);
#pragma unroll
            for (int e = 0; e < BLOCK_SIZE; ++e) {
                if (k != i || e % 4 >= e / 4) {
                    const int to = transposed ? e % 4 : e / 4, with = transposed ? e / 4 : e % 4;
                    c[to] = fma(block[e], y[4 * k + with], c[to]);
                }
            }
        }
        add_means(found, i, c);
    }
}

/* ---- A sample ---- */

/* Whether so few digits are to be expected that the sample is flagged: the estimate of the condition is
 * the square of the ratio of the factor's largest and smallest diagonal element. */
static inline intv is_ill_conditioned(const int form, const realv *inverse, int dimension, int blocks)
{
    if (IS_DIAGONAL(form))
        return (intv)(0);
    const int first = MIXED && form == PRECISION ? 4 * blocks - dimension : 0;
    realv low = inverse[first], high = inverse[first];
    for (int i = 1; i < dimension; ++i) {
        low = inverse[first + i] < low ? inverse[first + i] : low;
        high = inverse[first + i] > high ? inverse[first + i] : high;
    }
    const realv ratio = high / low;
    return ratio * ratio * (realv)(REAL_EPSILON) > (realv)(R(0.01));
}

typedef struct {
    realv x[MAX_BLOCKS * MAX_BLOCKS * BLOCK_SIZE]; /* X's factor, then E, or F */
    realv u[MAX_BLOCKS * MAX_BLOCKS * BLOCK_SIZE]; /* Y's factor */
    realv x_inverse[4 * MAX_BLOCKS];
    realv inverse[4 * MAX_BLOCKS];
    realv mean[4 * MAX_BLOCKS];
} workspace;

static inline void read_y(const operand *from, const covariance_call *call, workspace *work,
                          lane_result *found)
{
    const int dimension = (int)call->dimension, blocks = (dimension + 3) / 4;
    read_factor(Y_FORM, from, Y_TYPE, dimension, blocks, real_of(call->jitter), work->u,
                work->inverse, &found->failed[1], &found->added[1]);
    found->few[1] = is_ill_conditioned(Y_FORM, work->inverse, dimension, blocks);
#if MIXED
    mirror(work->u, blocks);
#endif
}

#if Y_CHANGES
/* The product of the factors, which stands in X's place, becomes the one that X, now I, is solved with. */
static inline void solve_for_identity(workspace *work, int blocks)
{
    for (int j = 0; j < blocks; ++j) {
        for (int i = 0; i <= j; ++i) {
            block_copy(work->u + BLOCK_AT(i, j), work->x + BLOCK_AT(i, j));
#pragma unroll
            for (int e = 0; e < BLOCK_SIZE; ++e)
                work->x[BLOCK_AT(i, j) + e] = i == j && e % 5 == 0 ? (realv)(1.0f) : (realv)(0.0f);
        }
#pragma unroll
        for (int e = 0; e < 4; ++e)
            work->inverse[4 * j + e] = 1.0f / work->u[BLOCK_AT(j, j) + 5 * e];
    }
}
#endif

/* What the means add, and the products of factors that there are to be before anything is solved. */
static inline void compare_means(workspace *work, int blocks, lane_result *found)
{
#if PRECISIONS
    multiply_means(blocks, work->x, 0, work->mean, found);
#elif Y_MULTIPLIES
    multiply_means(blocks, work->u, 1, work->mean, found);
#elif MIXED
    solve_means(blocks, work->x, work->x_inverse, 0, work->mean, found);
#else
    solve_means(blocks, work->u, work->inverse, IS_DIAGONAL(Y_FORM), work->mean, found);
#endif
}

static inline void compare_covariances(workspace *work, int blocks, lane_result *found)
{
#if MIXED
    multiply_triangles(work->x, work->u, blocks);
#if X_SIDE == 1
    solve_for_identity(work, blocks);
#endif
#endif
    for (int i = 0; i < blocks; ++i) {
        if (Y_MULTIPLIES)
            add_excess_row(work->x, i, 1, found);
        else
            solve_row(work->x, work->u, work->inverse, i, found);
    }
}

/* An overflow where everything is finite is infinite; NaN are all numbers of a sample that has a side
 * which is no distribution. */
static inline realv settle(realv x, intv bad)
{
    return bad ? (realv)(NAN) : x == x ? x : (realv)(INFINITY);
}

static inline void settle_all(const operand *x_from, const operand *y_from, int dimension,
                              lane_result *found)
{
    const intv lost = !(fabs(found->covariance.hi) <= (realv)(REAL_MAX));
    if (X_FORM == TRIL && any_lane(lost))
        find_infinite_rows(x_from, X_TYPE, dimension, &found->failed[0]);
    if (Y_FORM == TRIL && any_lane(lost))
        find_infinite_rows(y_from, Y_TYPE, dimension, &found->failed[1]);
    const intv bad = found->failed[0] != 0 || found->failed[1] != 0;
    const intv far = found->far < (intv)(dimension);
    found->covariance.hi = settle(lane_value(found->covariance), bad);
    found->mean.hi = far ? (realv)(INFINITY) : lane_value(found->mean);
    found->mean.hi = settle(found->mean.hi, bad);
    found->mean.hi = found->no_mean != 0 ? (realv)(NAN) : found->mean.hi;
#if SHARES
    for (int i = 0; i < dimension; ++i) {
        found->shares[i] = settle(found->shares[i], bad);
        realv mean = found->far <= (intv)(i) ? (realv)(INFINITY) : found->mean_shares[i];
        mean = settle(mean, bad);
        found->mean_shares[i] = found->no_mean != 0 ? (realv)(NAN) : mean;
    }
#endif
}

static inline void divergence(const operand *from, const covariance_call *call, workspace *work,
                              lane_result *found)
{
    const int dimension = (int)call->dimension, blocks = (dimension + 3) / 4;
    const operand *x_from = &from[2 * X_SIDE + 1], *y_from = &from[2 * Y_SIDE + 1];
    found->covariance.hi = found->covariance.lo = (realv)(0.0f);
    found->mean = found->covariance;
    found->no_mean = (intv)(0);
    found->far = (intv)(dimension);
    read_factor(X_FORM, x_from, X_TYPE, dimension, blocks, real_of(call->jitter), work->x,
                work->x_inverse, &found->failed[0], &found->added[0]);
    found->few[0] = is_ill_conditioned(X_FORM, work->x_inverse, dimension, blocks);
    for (int i = 0; i < blocks; ++i)
        read_mean_difference(&from[0], &from[2], dimension, i, work->mean + 4 * i, found);
    compare_means(work, blocks, found);
    compare_covariances(work, blocks, found);
#if CAN_BE_NEAR
    refine(x_from, y_from, dimension, blocks, work->x, work->u, work->inverse, real_of(call->near),
           found);
#endif
    settle_all(x_from, y_from, dimension, found);
}

/* ---- The kernel ---- */

/* Element `lane` of `to`, a step apart, for so many lanes. */
static inline void store_lanes(realv value, __global real *to, ulong step, uint count)
{
#if VW == 1
    *to = value;
#else
    if (count >= VW && step == 1) {
        CLKL_JOIN(vstore, VW)(value, 0, to);
        return;
    }
    real lanes[VW];
    CLKL_JOIN(vstore, VW)(value, 0, lanes);
    for (uint lane = 0; lane < count; ++lane)
        to[lane * step] = lanes[lane];
#endif
}

#if STATUS
static inline void store_status(intv failed, intv few, realv added, __global uint *to, uint count)
{
    intv status = failed != 0 ? failed : few ? (intv)((integer)FEW_DIGITS) : (intv)(0);
    status |= added > (realv)(0.0f) ? (intv)((integer)JITTERED) : (intv)(0);
    integer lanes[VW];
#if VW == 1
    lanes[0] = status;
#else
    CLKL_JOIN(vstore, VW)(status, 0, lanes);
#endif
    for (uint lane = 0; lane < count; ++lane)
        to[lane * 2] = (uint)lanes[lane];
}
#endif

typedef struct {
    __global real *result;
    __global real *parts;
    __global real *shares;
    __global uint *status;
} outputs;

static inline void put(const lane_result *found, const outputs *to, ulong first, uint count,
                       uint dimension)
{
    const realv covariance = found->covariance.hi, mean = found->mean.hi;
    store_lanes(covariance + mean, to->result + first, 1, count);
#if PARTS
    store_lanes(covariance, to->parts + 2 * first, 2, count);
    store_lanes(mean, to->parts + 2 * first + 1, 2, count);
#endif
#if SHARES
    for (uint i = 0; i < dimension; ++i) {
        __global real *share = to->shares + 2 * (first * dimension + i);
        store_lanes(found->shares[i], share, 2 * dimension, count);
        store_lanes(found->mean_shares[i], share + 1, 2 * dimension, count);
    }
#endif
#if STATUS
    store_status(found->failed[0], found->few[0], found->added[0],
                 to->status + 2 * first + X_SIDE, count);
    store_status(found->failed[1], found->few[1], found->added[1],
                 to->status + 2 * first + Y_SIDE, count);
#endif
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void
clkl_covariance_lanes(__global const void *restrict p_mean, __global const void *restrict p_scale,
                      __global const void *restrict q_mean, __global const void *restrict q_scale,
                      const covariance_call call, __global real *restrict result,
                      __global real *restrict parts, __global real *restrict shares,
                      __global uint *restrict status)
{
    const ulong begin = call.first + get_global_id(0) * call.rounds * VW;
    const ulong end = call.first + call.samples;
    const outputs to = {result + call.values_origin, parts + call.parts_origin,
                        shares + call.shares_origin, status + call.status_origin};
    workspace work;
    lane_result found;
    for (ulong first = begin; first < min(begin + call.rounds * VW, end); first += VW) {
        const operand from[4] = {
            operand_of(p_mean, &call, 0, first, end), operand_of(p_scale, &call, 1, first, end),
            operand_of(q_mean, &call, 2, first, end), operand_of(q_scale, &call, 3, first, end)};
        if (Y_CHANGES || first == begin || call.strides[2 * Y_SIDE + 1] != 0)
            read_y(&from[2 * Y_SIDE + 1], &call, &work, &found);
        divergence(from, &call, &work, &found);
        put(&found, &to, first, (uint)min(end - first, (ulong)VW), call.dimension);
    }
}
