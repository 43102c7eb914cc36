/* From what the other kernels leave in scratch about each sample to what the caller asked for: the
 * values and their parts, kept as they are or joined over the batch in two words; the status of each
 * value and each matrix.
 */
#define HAS_PAIRS (PARTS || SHARES)
#define ITEMS (WG * TEAMS)

/* Filled in by the host; origins in elements. */
typedef struct {
    ulong samples;
    ulong of_sample; /* values: 1, or with shares the dimension */
    ulong raw_values;
    ulong raw_pairs; /* (covariances, means) of each value */
    ulong raw_status;
    ulong result;
    ulong parts;
    ulong value_status;
    ulong matrix_status;
    ulong divisor; /* bits, as real_of takes them */
    ulong chunk;   /* values that a work-group of one work-item takes */
} covariance_results;

#define VALUE_IS_NAN 1u
#define VALUE_IS_INFINITE 2u
#define VALUE_NOT_POSITIVE_DEFINITE 8u
#define VALUE_FEW_DIGITS 16u
#define VALUE_JITTERED 32u
#define MATRIX_FEW_DIGITS (-1)
#define MATRIX_JITTERED (-2)

/* clkl_matrix_status of a side. */
static inline int matrix_status_of(uint word)
{
    const int pivot = (int)(word & ~(FEW_DIGITS | JITTERED));
    return pivot != 0                 ? pivot
           : (word & JITTERED) != 0   ? MATRIX_JITTERED
           : (word & FEW_DIGITS) != 0 ? MATRIX_FEW_DIGITS
                                      : 0;
}

static inline uint bits_of_side(uint word)
{
    const int status = matrix_status_of(word);
    return status > 0                    ? VALUE_NOT_POSITIVE_DEFINITE
           : status == MATRIX_FEW_DIGITS ? VALUE_FEW_DIGITS
           : status == MATRIX_JITTERED   ? VALUE_JITTERED
                                         : 0;
}

static inline uint bits_of_sample(const __global uint *status, ulong sample)
{
    return bits_of_side(status[2 * sample]) | bits_of_side(status[2 * sample + 1]);
}

static inline uint bits_of_value(real value)
{
    return value != value ? VALUE_IS_NAN : fabs(value) > REAL_MAX ? VALUE_IS_INFINITE : 0;
}

/* ---- The batch is kept ---- */

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
clkl_covariance_values(const covariance_results call, const __global uchar *restrict scratch,
                       __global real *restrict result, __global real *restrict parts,
                       __global uint *restrict value_status)
{
    const ulong count = call.samples * call.of_sample, item = get_global_id(0);
    const ulong begin = WG == 1 ? item * call.chunk : item;
    const ulong end = WG == 1 ? min(begin + call.chunk, count) : count;
    const ulong step = WG == 1 ? 1 : get_global_size(0);
    const __global real *values = (const __global real *)scratch + call.raw_values;
    const __global real *pairs = (const __global real *)scratch + call.raw_pairs;
    const __global uint *status = (const __global uint *)scratch + call.raw_status;
    for (ulong at = begin; at < end; at += step) {
        const real value = SHARES ? pairs[2 * at] + pairs[2 * at + 1] : values[at];
        result[call.result + at] = value;
        if (HAS_PAIRS && parts != 0) {
            parts[call.parts + 2 * at] = pairs[2 * at];
            parts[call.parts + 2 * at + 1] = pairs[2 * at + 1];
        }
        if (value_status != 0)
            value_status[call.value_status + at] =
                bits_of_value(value) | bits_of_sample(status, SHARES ? at / call.of_sample : at);
    }
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
clkl_covariance_statuses(const covariance_results call, const __global uchar *restrict scratch,
                         __global int *restrict matrix_status)
{
    const ulong count = 2 * call.samples, item = get_global_id(0);
    const ulong begin = WG == 1 ? item * call.chunk : item;
    const ulong end = WG == 1 ? min(begin + call.chunk, count) : count;
    const ulong step = WG == 1 ? 1 : get_global_size(0);
    const __global uint *status = (const __global uint *)scratch + call.raw_status;
    for (ulong at = begin; at < end; at += step)
        matrix_status[2 * call.matrix_status + at] = matrix_status_of(status[at]);
}

/* ---- The batch is summed ---- */

#if HAS_PAIRS
typedef struct {
    twofold covariance, mean; /* halves, lest the sum overflows where the mean does not */
    uint bits;
} batch_sum;

#define SUMMED_AT_ONCE 8 /* samples; some devices bear but so many iterations of a loop */

static inline twofold add_half(twofold sum, real number)
{
    const twofold term = {R(0.5) * number, R(0.0)};
    return twofold_join(sum, term);
}

static inline batch_sum batch_join(batch_sum a, batch_sum b)
{
    a.covariance = twofold_join(a.covariance, b.covariance);
    a.mean = twofold_join(a.mean, b.mean);
    a.bits |= b.bits;
    return a;
}

/* What one of `count` chains, each of which takes every count-th sample, finds of a value. */
static inline batch_sum sum_chain(const covariance_results *call, const __global real *pairs,
                                  const __global uint *status, uint chain, uint count)
{
    batch_sum sum = {{R(0.0), R(0.0)}, {R(0.0), R(0.0)}, 0};
    for (ulong first = chain; first < call->samples; first += SUMMED_AT_ONCE * count) {
#pragma unroll
        for (uint k = 0; k < SUMMED_AT_ONCE; ++k) {
            const ulong sample = first + k * count;
            if (sample < call->samples) {
                sum.covariance = add_half(sum.covariance, pairs[2 * sample * call->of_sample]);
                sum.mean = add_half(sum.mean, pairs[2 * sample * call->of_sample + 1]);
                sum.bits |= bits_of_sample(status, sample);
            }
        }
    }
    return sum;
}

/* A group per value, in turn. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
clkl_covariance_sums(const covariance_results call, const __global uchar *restrict scratch,
                     __global real *restrict result, __global real *restrict parts,
                     __global uint *restrict value_status)
{
    __local batch_sum shared[ITEMS];
    const uint item = (uint)get_local_id(0);
    const ulong group = get_group_id(0), groups = get_num_groups(0);
    const __global real *pairs = (const __global real *)scratch + call.raw_pairs;
    const __global uint *status = (const __global uint *)scratch + call.raw_status;
    const real divisor = real_of(call.divisor);
    for (ulong at = group; at < call.of_sample; at += groups) {
        batch_sum sum = sum_chain(&call, pairs + 2 * at, status, item, ITEMS);
        if (ITEMS > 1) {
            shared[item] = sum;
            barrier(CLK_LOCAL_MEM_FENCE);
            for (uint stride = ITEMS / 2; stride > 0; stride >>= 1) {
                if (item < stride)
                    shared[item] = batch_join(shared[item], shared[item + stride]);
                barrier(CLK_LOCAL_MEM_FENCE);
            }
            sum = shared[0];
            barrier(CLK_LOCAL_MEM_FENCE);
        }
        if (item == 0 && call.samples > 0) {
            const real value =
                R(2.0) * (twofold_value(twofold_join(sum.covariance, sum.mean)) / divisor);
            result[call.result + at] = value;
            if (parts != 0) {
                parts[call.parts + 2 * at] = R(2.0) * (twofold_value(sum.covariance) / divisor);
                parts[call.parts + 2 * at + 1] = R(2.0) * (twofold_value(sum.mean) / divisor);
            }
            if (value_status != 0)
                value_status[call.value_status + at] = bits_of_value(value) | sum.bits;
        }
    }
}
#endif
