/* Help for the tests of the tool: running it, files to give it, and what it said. */
#ifndef CLKL_TESTS_CLI_SUPPORT_H
#define CLKL_TESTS_CLI_SUPPORT_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The shipped files. */
#define PHOTO  CLKL_DATA_DIR "/photo_vae_moments.npy"
#define DIGITS CLKL_DATA_DIR "/digits_vae_moments.npy"

/* Fixtures: an empty directory, into which the test changes, and its removal. */
void scratch_make(void);
void scratch_remove(void);

/* How many files are in it, other than those that run() makes. */
unsigned scratch_count(void);

/* What a run of the tool left behind. */
struct run {
    int status;        /* exit status; -1 if a signal ended it */
    char out[1 << 17]; /* standard output, terminated */
    char err[1 << 13]; /* standard error, terminated */
};

/* The latest run. */
extern struct run run;

/* Files to use as standard input and output of the next runs, by name; NULL: nothing to read, and
 * `run.out`. The name "closed" closes the descriptor, "broken pipe" is a pipe that nobody reads. */
extern const char *run_input, *run_output;

/* Whether the next runs give up root's rights first. */
extern bool run_as_nobody;

/* Whether somebody without root's rights could start the tool, wherever it has been built. */
bool nobody_can_run(void);

/* Runs the tool with these arguments, which NULL ends. */
void run_words(const char *const *words);
#define RUN(...) run_words((const char *const[]){__VA_ARGS__, NULL})

/* Runs `clkl kl ... --device reference`. */
#define KL(...) RUN("kl", __VA_ARGS__, "--device", "reference")

/* Expect the latest run to have ended so and to have said so. */
void expect_status(int status);
void expect_out(const char *says);
void expect_err(const char *says);

/* Expects a refusal: status 2, nothing on standard output, one sentence that says this on standard
 * error. */
void expect_refusal(const char *says);

/* Parses standard output as JSON, which the caller releases. */
json_t *run_json(void);

/* Writes float32 or float64 arrays, of the shape that 0 ends. */
void put_f32(const char *name, const float *values, const uint64_t *shape);
void put_f64(const char *name, const double *values, const uint64_t *shape);
#define SHAPE(...)            ((const uint64_t[]){__VA_ARGS__, 0})
#define F32(name, shape, ...) put_f32(name, (const float[]){__VA_ARGS__}, shape)
#define F64(name, shape, ...) put_f64(name, (const double[]){__VA_ARGS__}, shape)

/* An .npy file by hand: type code, shape, data. */
void put_code(const char *name, const char *code, const char *shape, const void *bytes,
              size_t size);

/* Writes bytes, or a text. */
void put_bytes(const char *name, const void *bytes, size_t size);
void put_text(const char *name, const char *text);

/* Reads an array of float32 or float64 back and expects this shape and these values, each to a
 * relative 5e-7 or 4e-15; `rank` 0 for a single number. */
void expect_npy(const char *name, const char *type, unsigned rank, uint64_t count,
                const double *values);

/* Expects the array in a file to have this shape, which 0 ends. */
void expect_shape(const char *name, const uint64_t *shape);

/* Expects no line of standard output to be wider than a terminal, and ASCII alone. */
void expect_narrow_ascii(void);

/* The divergence of one element from N(q_mean, q_var), by the textbook. */
double textbook(double mean, double variance, double q_mean, double q_variance);

#endif
