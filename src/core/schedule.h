/* Which kernel, which geometry, how much scratch: decided by pure functions of a problem and of
 * what is known of a device.
 *
 * The order of summation within a row follows from vector width, tile, team and chunk. These depend
 * on the shape of a sample and the device alone; only the number of rounds, which does not touch
 * the order, looks at the batch. (A sum over the batch depends on that, of course.)
 */
#ifndef CLKL_CORE_SCHEDULE_H
#define CLKL_CORE_SCHEDULE_H

#include "core/passes.h"
#include "core/rows.h"

enum clkl_device_style {
    CLKL_STYLE_GPU,      /* many work-items, each reading short vectors */
    CLKL_STYLE_WIDE_CPU, /* work-items are loops: speed comes from long vectors within them */
    CLKL_STYLE_LANES     /* work-items are lanes of the CPU's vectors: scalar code serves best */
};

/* What the schedule needs to know of a device. */
struct clkl_facts {
    enum clkl_device_style style;
    bool prefetch_builtin;
    bool fp64;
    uint32_t native_width; /* floats in a vector register */
    uint32_t compute_units;
    uint64_t max_work_group;
    uint64_t local_memory; /* bytes */
    uint32_t loop_limit;   /* loop iterations after which the device stops a work-item; 0 for none */
};

/* Choices that tests make for the schedule; 0 leaves one to it. */
struct clkl_tuning {
    uint32_t vector_width;
    uint32_t tile;
    uint32_t work_group;
    uint32_t team;
    uint64_t chunk;
    uint32_t rounds;
    uint32_t covariance_way; /* 1 + an enum clkl_covariance_way */
};

/* What a program is specialised for. */
struct clkl_variant {
    enum clkl_scale p_scale;
    enum clkl_scale q_scale;
    clkl_dtype p_type; /* of the arrays; CLKL_F32 where there are none */
    clkl_dtype q_type;
    bool fp64;    /* arithmetic and result are in double precision */
    bool columns; /* vectors hold one element each of neighbouring rows */
    enum clkl_reach p_reach;
    enum clkl_reach q_reach;
    uint32_t kept_axes;
    uint32_t reduced_axes; /* 1 where rows are contiguous */
    bool clamp_p;
    bool clamp_q;
    bool count_clamped;
    uint32_t vector_width;  /* elements read at once */
    uint32_t lanes_at_once; /* computed at once: all of them, or one after the other */
    uint32_t tile;
    uint32_t strip; /* vectors of rows that a work-item takes, where `columns` */
    uint32_t work_group;
    bool short_cut;
    bool long_rows;             /* there may be 2^31 rows, or elements of a row, or more */
    uint32_t prefetch_distance; /* elements; 0 for none */
    bool aligned;               /* vectors are read through aligned pointers */
    bool value;                 /* the divergence is summed */
    uint32_t sums;              /* gradients that are summed, as CLKL_GRADIENT_... */
    uint32_t maps;              /* gradients that are written element by element */
    bool free_nats;
    bool gradient_add;
    clkl_dtype gradient_dtype;
    bool weighted;
    bool masked; /* the weights are bytes */
    clkl_dtype weight_dtype;
    enum clkl_reach weight_reach;
    enum clkl_reach upstream_reach;
};

/* How the rows of one call are dealt out. */
struct clkl_geometry {
    uint64_t chunk;  /* elements */
    uint32_t chunks; /* of a row */
    uint32_t team;
    uint32_t rounds;
    uint64_t tasks;
    uint64_t work; /* elements of a task */
    uint64_t groups;
    uint32_t combine_team;
    uint32_t combine_rounds;
    uint64_t combine_groups; /* 0 where there is no second stage */
    uint64_t scratch;        /* bytes */
};

/* Where a work-group is one work-item, no launch has more of them: each does several tasks.
 * PoCL 3.1 aborts the process where a kernel is in flight and the same one comes with a wider grid
 * than ever before; so plans begin by launching each kernel this wide. */
enum { CLKL_WIDEST_GRID = 4096 };

/* Whether the program for a problem needs a device with double precision. */
bool clkl_problem_needs_fp64(const struct clkl_problem *problem);

/* The program for a pass; `aligned` is left false. */
void clkl_variant_make(const struct clkl_pass *pass, const struct clkl_rows *rows,
                       const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                       struct clkl_variant *variant);

/* Sums that are joined for each row: the divergence and gradients. */
uint32_t clkl_variant_sums(const struct clkl_variant *variant);

/* Bytes that a work-item's findings take in local memory, and a row's partial ones in scratch. */
uint32_t clkl_variant_partial_bytes(const struct clkl_variant *variant);

/* How an operand lies along the lanes, and whether the program reads it at all. */
enum clkl_reach clkl_variant_reach(const struct clkl_variant *variant, int operand);
bool clkl_variant_has(const struct clkl_variant *variant, int operand);

/* Whether aligned pointers can ever be right: all contiguous rows begin at multiples of the vector
 * width, if the first one does. Only GPUs gain from it. */
bool clkl_variant_can_align(const struct clkl_variant *variant, const struct clkl_rows *rows,
                            const struct clkl_facts *facts);

/* The geometry for rows; CLKL_UNSUPPORTED if they are more than an NDRange can count. */
clkl_status clkl_geometry_make(const struct clkl_rows *rows, const struct clkl_variant *variant,
                               const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                               struct clkl_geometry *geometry, clkl_error *error);

/* Longest text that clkl_variant_options writes, terminator included. */
enum { CLKL_OPTIONS_SIZE = 800 };

/* The variant as options of clBuildProgram. */
void clkl_variant_options(const struct clkl_variant *variant, char options[CLKL_OPTIONS_SIZE]);

#endif
