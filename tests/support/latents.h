/* Means and covariances of the real latents in data/, in double, the same bits everywhere. */
#ifndef CLKL_TESTS_LATENTS_H
#define CLKL_TESTS_LATENTS_H

enum { LATENTS_DIGITS = 16, LATENTS_PHOTOS = 64 };

/* Of the 16 latent means of the handwritten digits of one class, 0 to 9. */
void latents_digits(int digit, double *mean, double *covariance);

/* Of the 64 latent means of the photographs' patches: of the first half of them, or the second. */
void latents_photos(int half, double *mean, double *covariance);

#endif
