/* How a divergence between full covariances is computed: which kernels, which geometry, how much
 * scratch. Pure functions of a problem and of what is known of a device.
 *
 * The order of summation follows from the dimension and the device: all ways of one device that
 * take a dimension do the same steps in the same order, so the batch may choose between them.
 */
#ifndef CLKL_CORE_COVARIANCE_SCHEDULE_H
#define CLKL_CORE_COVARIANCE_SCHEDULE_H

#include "core/schedule.h"

/* Few dimensions: a sample per lane. Middling ones: a work-group per sample. Many, or few samples:
 * every step is a launch of its own, with many work-groups for each sample. */
enum clkl_covariance_way { CLKL_COVARIANCE_LANES, CLKL_COVARIANCE_GROUP, CLKL_COVARIANCE_STEPS };

/* What a program is specialised for. */
struct clkl_covariance_variant {
    enum clkl_covariance_way way;
    enum clkl_scale p_scale;
    enum clkl_scale q_scale;
    clkl_dtype p_type;
    clkl_dtype q_type;
    bool fp64;
    bool pairs;  /* what covariances and means add is told apart */
    bool shares; /* a value per coordinate */
    bool spread; /* rows and columns have strides of their own */
    uint32_t vector_width;
    uint32_t lanes_at_once;
    uint32_t work_group;
    uint32_t max_blocks; /* where `way` is that of lanes: of 4 dimensions */
    uint32_t tile_size;  /* else */
};

/* How the samples of one call are dealt out. Offsets are bytes from the scratch's beginning. */
struct clkl_covariance_geometry {
    uint64_t tiles;     /* from one end of a matrix to the other */
    uint64_t in_flight; /* samples that have a place in scratch at once */
    uint32_t sides;     /* CLKL_COVARIANCE_SHARES_...: factored once for the batch */
    uint64_t groups;    /* of the first two ways */
    uint32_t rounds;    /* vectors of samples that a work-group takes in turn */
    uint64_t of_sample; /* values */
    uint64_t values_at;
    uint64_t pairs_at;
    uint64_t status_at;
    uint64_t matrices_at;
    uint64_t scratch; /* bytes */
};

/* The kernels. */
enum clkl_covariance_kernel {
    CLKL_KERNEL_LANES,
    CLKL_KERNEL_GROUP_SHARED,
    CLKL_KERNEL_GROUP,
    CLKL_KERNEL_READ,
    CLKL_KERNEL_DIAGONAL,
    CLKL_KERNEL_PANEL,
    CLKL_KERNEL_JUDGE_FACTORS,
    CLKL_KERNEL_TURN,
    CLKL_KERNEL_MEANS,
    CLKL_KERNEL_COMPOSE,
    CLKL_KERNEL_SOLVE,
    CLKL_KERNEL_JUDGE,
    CLKL_KERNEL_DIFFERENCE,
    CLKL_KERNEL_CONJUGATE,
    CLKL_KERNEL_EXCESS,
    CLKL_KERNEL_SHARES,
    CLKL_KERNEL_FINISH,
    CLKL_KERNEL_VALUES,
    CLKL_KERNEL_SUMS,
    CLKL_KERNEL_STATUSES,
    CLKL_COVARIANCE_KERNELS
};

/* Bits as kernels/covariance.clh has them; X and Y are P and Q, or Q and P, as it explains. */
enum { CLKL_COVARIANCE_SHARES_X = 1, CLKL_COVARIANCE_SHARES_Y = 2, CLKL_COVARIANCE_PROLOGUE = 4 };

/* One launch, for all samples in flight; in the prologue, for what the batch shares. */
struct clkl_covariance_step {
    enum clkl_covariance_kernel kernel;
    uint64_t tasks; /* of a sample */
    uint32_t begin; /* as kernels/covariance_steps.cl explains */
    uint32_t end;
    uint32_t pass;
    bool prologue;
};

/* The program for a problem of full covariances. */
void clkl_covariance_variant_make(const struct clkl_problem *problem,
                                  const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                                  struct clkl_covariance_variant *variant);

/* Samples that share a work-group. */
uint32_t clkl_covariance_teams(const struct clkl_covariance_variant *variant);

/* The program as options of clBuildProgram. */
void clkl_covariance_options(const struct clkl_covariance_variant *variant,
                             char options[CLKL_OPTIONS_SIZE]);

/* The geometry for the problem's batch; CLKL_UNSUPPORTED if the dimension is beyond what kernels
 * count, or the device stops loops that are as long as it takes. */
clkl_status clkl_covariance_geometry_make(const struct clkl_problem *problem,
                                          const struct clkl_covariance_variant *variant,
                                          const struct clkl_facts *facts,
                                          const struct clkl_tuning *tuning,
                                          struct clkl_covariance_geometry *geometry,
                                          clkl_error *error);

/* Said of P and Q as kernels/covariance.clh says it: whether one is a precision and the other a
 * covariance or a factor; whether X is Q. */
bool clkl_covariance_is_mixed(const struct clkl_covariance_variant *variant);
bool clkl_covariance_x_is_q(const struct clkl_covariance_variant *variant);

/* The launches for the samples in flight, in order, and before them those of the prologue, which
 * are needed but once. `steps` may be NULL. Returns their number. */
size_t clkl_covariance_steps(const struct clkl_problem *problem,
                             const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry,
                             struct clkl_covariance_step *steps);

/* Loop iterations, or somewhat more, of the work-item that has most of them in any launch, when the
 * steps are taken. */
uint64_t clkl_covariance_iterations(const struct clkl_problem *problem,
                                    const struct clkl_covariance_variant *variant,
                                    const struct clkl_covariance_geometry *geometry);

/* The covariances' part of a divergence below which it is computed from M instead of E. */
double clkl_covariance_near(const struct clkl_problem *problem);

#endif
