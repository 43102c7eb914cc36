/*
 * Archives of arrays, as numpy.savez and numpy.savez_compressed write them: zip files whose members
 * are .npy files.
 *
 *     struct npz *archive = npz_open("statistics.npz", &error);
 *     if (archive == NULL || !npz_read(archive, "mu", &array, &error))
 *         ... error.text says what was found and what was expected
 *     ... array.data, then npy_free(&array)
 *     npz_close(archive);
 */
#ifndef CLKL_NPZ_H
#define CLKL_NPZ_H

#include "npy.h"

struct npz;

/* NULL on failure. The archive is a regular file: the list of a zip file's members is at its end.
 */
struct npz *npz_open(const char *path, struct io_error *error);

/*
 * Reads the member NAME.npy, stored or deflated. Refuses a name that no member has, or several;
 * members that are encrypted, or compressed in another way; and data that its checksum does not
 * fit. The size that the archive promises is held against the size of the file, and against what
 * deflating can save at most, before anything of that size is allocated. On failure the array is
 * left empty.
 */
bool npz_read(struct npz *archive, const char *name, struct npy *array, struct io_error *error);

/* NULL is allowed. */
void npz_close(struct npz *archive);

#endif
