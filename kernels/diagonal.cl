/* KL of diagonal Gaussians: for each row (one value of the result) the sum of quarter_divergence
 * over the elements of the row.
 *
 * A task's elements are read in vectors of VW, dealt out to the team in turn. A team member adds up
 * TILE vectors at a time, pairwise (where the lanes of a vector take turns, it adds these up first),
 * and carries the sums of tiles in two words; then lanes, then members, then (in combine.cl) chunks
 * are joined, each level in two words. So no more than 5 roundings lie between an element and a sum
 * that forgets nothing, and the order of all of it follows from the row's length alone.
 *
 * Where arithmetic is dearer than memory (SHORT_CUT: CPUs), logarithmic scales against the standard
 * normal take a short cut: a tile is first computed by a form of phi that is cheap but right only for
 * moderate arguments, and once more, exactly, if any of its arguments was not.
 */
#ifndef TILE
#define TILE 1 /* vectors: 1, 4 or 8 */
#endif

/* Clamp the log-variances of P, of Q; count what the clamp changes. */
#ifndef CLAMP_P
#define CLAMP_P 0
#endif
#ifndef CLAMP_Q
#define CLAMP_Q 0
#endif
#ifndef COUNT_CLAMPED
#define COUNT_CLAMPED 0
#endif

/* Only for P_SCALE LOGVAR or LOGSTD, Q_SCALE UNIT, AW == VW, and TILE 4 or 8. */
#ifndef SHORT_CUT
#define SHORT_CUT 0
#endif

#define GATHERS (P_GATHER || Q_GATHER)

typedef struct {
    __global const real *p_mean, *p_scale, *q_mean, *q_scale;
} row_pointers;

/* One team member's view of its task, and what it has found. */
typedef struct {
    row_pointers at; /* the row's begin where elements are gathered, else the task's */
    row_index first; /* element of the row that the task begins with */
    uint count;      /* elements of the task */
    realv low, high; /* of the clamp */
    intv negative;
    intv clamped_p, clamped_q;
} worker;

/* ---- Reading ---- */

#define P_OPERANDS (P_SCALE != UNIT)
#define Q_OPERANDS (Q_SCALE != UNIT)

#if GATHERS
#define AXES_PARAMETER , const row_axes *axes
#define AXES_ARGUMENT , axes
#else
#define AXES_PARAMETER
#define AXES_ARGUMENT
#endif

/* The vector from `index` on: a whole one, or the rest of the task. */
#if P_GATHER
#define FETCH_P(row, operand)                                       \
    (whole ? fetch_gathered(row, axes, operand, w->first + index) \
           : fetch_gathered_end(row, axes, operand, w->first, index, w->count))
#else
#define FETCH_P(row, operand) (whole ? fetch(row, index) : fetch_end(row, index, w->count))
#endif
#if Q_GATHER
#define FETCH_Q(row, operand)                                       \
    (whole ? fetch_gathered(row, axes, operand, w->first + index) \
           : fetch_gathered_end(row, axes, operand, w->first, index, w->count))
#else
#define FETCH_Q(row, operand) (whole ? fetch(row, index) : fetch_end(row, index, w->count))
#endif

static inline realv clamped(realv l, realv low, realv high)
{
    return at_most(at_least(l, low), high);
}

/* 1 in every lane whose log-variance the clamp changes. */
static inline intv outside(realv l, realv low, realv high)
{
    return l < low || l > high ? (intv)(1) : (intv)(0);
}

/* ---- One vector ---- */

/* Notes what is strange in the lanes that are `inside`, and clamps. */
static inline void inspect(worker *w, realv *sp, realv *sq, intv inside)
{
#if COUNT_CLAMPED && CLAMP_P
    w->clamped_p += inside ? outside(*sp, w->low, w->high) : (intv)(0);
#endif
#if COUNT_CLAMPED && CLAMP_Q
    w->clamped_q += inside ? outside(*sq, w->low, w->high) : (intv)(0);
#endif
#if CLAMP_P
    *sp = clamped(*sp, w->low, w->high);
#endif
#if CLAMP_Q
    *sq = clamped(*sq, w->low, w->high);
#endif
#if P_SCALE >= VAR
    w->negative |= inside && *sp < 0.0f ? (intv)(1) : (intv)(0);
#endif
#if Q_SCALE >= VAR
    w->negative |= inside && *sq < 0.0f ? (intv)(1) : (intv)(0);
#endif
}

/* What the scales, and what the means, of the first `lanes` lanes contribute. Where lanes take turns,
 * the two do so one after the other: it takes fewer registers. */
static inline realv exact_scales(worker *w, wide sp, wide sq, uint lanes)
{
#if AW == VW
    const intv inside = lane_numbers() < (intv)((integer)lanes);
    inspect(w, &sp, &sq, inside);
    return inside ? quarter_scale(sp, sq) : (realv)(0.0f);
#else
    realv sum = 0.0f;
#pragma unroll 1
    for (uint lane = 0; lane < lanes; ++lane) {
        real p = sp.s0, q = sq.s0;
        inspect(w, &p, &q, 1);
        sum += quarter_scale(p, q);
        sp = NEXT_LANE(sp);
        sq = NEXT_LANE(sq);
    }
    return sum;
#endif
}

static inline realv exact_means(const worker *w, wide mp, wide mq, wide sq, uint lanes)
{
#if CLAMP_Q
    sq = sq < w->low ? (wide)(w->low) : sq > w->high ? (wide)(w->high) : sq;
#endif
#if AW == VW
    const intv inside = lane_numbers() < (intv)((integer)lanes);
    return inside ? quarter_mean(mp, mq, sq) : (realv)(0.0f);
#else
    realv sum = 0.0f;
#pragma unroll 1
    for (uint lane = 0; lane < lanes; ++lane) {
        sum += quarter_mean(mp.s0, mq.s0, sq.s0);
        mp = NEXT_LANE(mp);
        mq = NEXT_LANE(mq);
        sq = NEXT_LANE(sq);
    }
    return sum;
#endif
}

/* The exact contribution of the vector from `index` on: of all its lanes if it is `whole` (a constant
 * wherever this is called), else of those before the end of the task. */
static inline realv exact_part(worker *w, uint index, const int whole AXES_PARAMETER)
{
    const uint lanes = whole ? VW : w->count - index;
    wide mp = (wide)(0.0f), sp = (wide)(0.0f), mq = (wide)(0.0f), sq = (wide)(0.0f);
#if P_OPERANDS
    sp = FETCH_P(w->at.p_scale, 1);
#endif
#if Q_OPERANDS
    sq = FETCH_Q(w->at.q_scale, 3);
#endif
    const realv scales = exact_scales(w, sp, sq, lanes);
#if P_OPERANDS
    mp = FETCH_P(w->at.p_mean, 0);
#endif
#if Q_OPERANDS
    mq = FETCH_Q(w->at.q_mean, 2);
#endif
    return scales + exact_means(w, mp, mq, sq, lanes);
}

/* The exact sum of up to TILE vectors that lie `step` elements apart, pairwise as a binary counter
 * carries. */
#if TILE > 1
static inline realv exact_tile(worker *w, uint index, uint step AXES_PARAMETER)
{
    const realv zero = (realv)(0.0f);
    realv ones = zero, twos = zero, fours = zero, eights = zero;
    uint vectors = 0;
#pragma unroll 1
    for (; vectors < TILE && index + VW <= w->count; ++vectors, index += step) {
        realv carry = exact_part(w, index, 1 AXES_ARGUMENT);
        if (!(vectors & 1)) {
            ones = carry;
            continue;
        }
        carry = ones + carry;
        if (!(vectors & 2)) {
            twos = carry;
            continue;
        }
        carry = twos + carry;
        fours = vectors & 4 ? fours : carry;
        eights = fours + carry;
    }
    realv sum = vectors & 8 ? eights : zero;
    sum += vectors & 4 ? fours : zero;
    sum += vectors & 2 ? twos : zero;
    sum += vectors & 1 ? ones : zero;
    return sum;
}
#endif

/* ---- The short cut ---- */

#if SHORT_CUT
/* Above this the short cut's phi is not accurate enough. */
#define SHORT_CUT_MOST 0x1p+31f

/* phi(x) where 2^n is a normal number; else *strange gets a bit above the lowest eight. */
static inline realv quick_phi(realv x, intv *strange)
{
    const realv rounder = (realv)(ROUNDER + 127.0f);
    const realv rounded = fma(x, (realv)(LOG2_E), rounder);
    *strange |= as_intv(rounded) ^ (ROUNDER_BITS + EXPONENT_BIAS);
    const realv n = rounded - rounder;
    const realv power = as_realv(as_intv(rounded) << MANTISSA_BITS);
    const realv r = fma(n, (realv)(-LN2), x);
    const realv less_one = power - 1.0f;
    const realv offset = fma(less_one, r, fma(n, (realv)(-LN2), less_one));
    return fma(power, r * r * exp_tail(r), offset);
}

/* m^2 + phi(l) for one whole vector; notes what is strange, and what the clamp changes. */
static inline realv quick_vector(const worker *w, uint index, intv *strange,
                                 intv *changed AXES_PARAMETER)
{
    const int whole = 1;
    const realv m = FETCH_P(w->at.p_mean, 0);
    realv l = FETCH_P(w->at.p_scale, 1);
#if COUNT_CLAMPED && CLAMP_P
    *changed += outside(l, w->low, w->high);
#endif
#if CLAMP_P
    l = clamped(l, w->low, w->high);
#endif
#if P_SCALE == LOGSTD
    l = 2.0f * l;
#endif
    return fma(m, m, quick_phi(l, strange));
}

/* The sum of a whole tile; true if it is good. */
static inline int quick_tile(worker *w, uint index, uint step, realv *sum AXES_PARAMETER)
{
    intv strange = (intv)(0), changed = (intv)(0);
#define QUICK(i) quick_vector(w, index + i * step, &strange, &changed AXES_ARGUMENT)
    realv total = (QUICK(0) + QUICK(1)) + (QUICK(2) + QUICK(3));
#if TILE == 8
    total += (QUICK(4) + QUICK(5)) + (QUICK(6) + QUICK(7));
#endif
#undef QUICK
    *sum = 0.25f * total;
    const int good = !any_lane((strange & ~0xff) != 0 || !(total <= SHORT_CUT_MOST));
    if (good)
        w->clamped_p += changed;
    return good;
}
#endif

/* ---- A task ---- */

static inline uint sum_lanes(intv counts)
{
#if AW == 1
    return (uint)counts;
#else
    int lanes[AW];
    CLKL_JOIN(vstore, AW)(counts, 0, lanes);
    uint sum = 0;
#pragma unroll
    for (int i = 0; i < AW; ++i)
        sum += (uint)lanes[i];
    return sum;
#endif
}

/* What one member of a team finds in its share of a task. */
static inline findings member_share(worker *w, uint member, uint team AXES_PARAMETER)
{
    const uint step = VW * team;
    realv hi = (realv)(0.0f), lo = (realv)(0.0f);
    for (uint index = VW * member; index + VW <= w->count; index += TILE * step) {
        realv sum;
#if SHORT_CUT
        const int whole = index + (TILE - 1) * step + VW <= w->count;
        if (!(whole && quick_tile(w, index, step, &sum AXES_ARGUMENT)))
#endif
#if TILE > 1
            sum = exact_tile(w, index, step AXES_ARGUMENT);
#else
            sum = exact_part(w, index, 1 AXES_ARGUMENT);
#endif
        twofold_add(&hi, &lo, sum);
    }
#if VW > 1
    if (w->count % VW != 0 && w->count / VW % team == member)
        twofold_add(&hi, &lo, exact_part(w, w->count / VW * VW, 0 AXES_ARGUMENT));
#endif
    findings found;
    found.sum = twofold_lanes(hi, lo);
    found.negative = sum_lanes(w->negative);
    found.clamped[0] = sum_lanes(w->clamped_p);
    found.clamped[1] = sum_lanes(w->clamped_q);
    return found;
}

static inline findings task_share(row_pointers data, const launch *call, ulong task,
                                  uint member AXES_PARAMETER)
{
    const ulong row = task / call->chunks;
    const ulong first = (task - row * call->chunks) * call->chunk;
    const ulong p_first = P_GATHER ? 0 : first, q_first = Q_GATHER ? 0 : first;
    worker w;
    w.at.p_mean = data.p_mean + call->origins[0] + row * call->row_strides[0] + p_first;
    w.at.p_scale = data.p_scale + call->origins[1] + row * call->row_strides[1] + p_first;
    w.at.q_mean = data.q_mean + call->origins[2] + row * call->row_strides[2] + q_first;
    w.at.q_scale = data.q_scale + call->origins[3] + row * call->row_strides[3] + q_first;
    w.first = (row_index)first;
    w.count = (uint)min(call->chunk, call->elements - first);
    w.low = (realv)(call->clamp_low);
    w.high = (realv)(call->clamp_high);
    w.negative = w.clamped_p = w.clamped_q = (intv)(0);
    return member_share(&w, member, call->team AXES_ARGUMENT);
}

/* Writes what a task found: a value of the result, or a part of one. */
static inline void put(findings found, ulong task, const launch *call, __global real *result,
                       __global uint *status, __global uint2 *clamp_counts,
                       __global uchar *scratch)
{
    if (call->chunks == 1) {
        finish(found, task, call, result, status, clamp_counts);
    } else {
        SCRATCH_SUMS(scratch)[task] = found.sum;
        SCRATCH_COUNTS(scratch, call->tasks)[task] = (uint2)(found.clamped[0], found.clamped[1]);
        SCRATCH_NEGATIVE(scratch, call->tasks)[task] = found.negative;
    }
}

__kernel WORK_GROUP void clkl_diagonal(__global const real *restrict p_mean,
                                       __global const real *restrict p_scale,
                                       __global const real *restrict q_mean,
                                       __global const real *restrict q_scale,
                                       const launch call,
#if GATHERS
                                       const row_axes axes_value,
#endif
                                       __global real *restrict result,
                                       __global uint *restrict status,
                                       __global uint2 *restrict clamp_counts,
                                       __global uchar *restrict scratch_base)
{
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0);
    const uint member = item & (call.team - 1);
    const row_pointers data = {p_mean, p_scale, q_mean, q_scale};
    __global uchar *scratch = scratch_base + call.scratch_origin;
#if GATHERS
    const row_axes *axes = &axes_value;
#endif

#if WG == 1
    const ulong begin = group * call.rounds, end = min(begin + call.rounds, call.tasks);
    for (ulong task = begin; task < end; ++task) {
        const findings found = task_share(data, &call, task, 0 AXES_ARGUMENT);
        put(found, task, &call, result, status, clamp_counts, scratch);
    }
#else
    __local findings shared[WG];
    const ulong task = group * (WG / call.team) + item / call.team;
    findings found = {{0.0f, 0.0f}, 0u, {0u, 0u}};
    if (task < call.tasks)
        found = task_share(data, &call, task, member AXES_ARGUMENT);
    found = team_join(found, shared, item, member, call.team);
    if (task < call.tasks && member == 0)
        put(found, task, &call, result, status, clamp_counts, scratch);
#endif
}
