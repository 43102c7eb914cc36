/* How the divergences of the samples are distributed. */
#ifndef CLKL_CLI_INSPECT_SAMPLES_H
#define CLKL_CLI_INSPECT_SAMPLES_H

#include "inspection.h"

/*
 * Quartiles by linear interpolation between the sorted values, as NumPy's percentile() by default;
 * outliers by Tukey's fences (Exploratory Data Analysis, 1977): below lower - fence * (upper -
 * lower) or above upper + fence * (upper - lower). The histogram has bins of equal width, about
 * that of Freedman and Diaconis 1981, 2 (upper - lower) / cbrt(count), but at most INSPECT_BINS,
 * from the smallest value to the largest, though no farther than four times the distance of the
 * quartiles from each of them: so that a few outliers do not squeeze all others into one bin.
 *
 * Without finite samples all is NaN or 0. False with a sentence if there is no memory.
 */
bool inspect_samples_find(const struct kl_task *task, const struct kl_result *result, double fence,
                          struct inspect_samples *samples);

void inspect_samples_free(struct inspect_samples *samples);

#endif
