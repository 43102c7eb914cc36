/* Where PoCL keeps the kernels that it has compiled. */
#ifndef CLKL_CLI_CACHE_DIR_H
#define CLKL_CLI_CACHE_DIR_H

/*
 * Gives PoCL a folder that nobody else can write to: it loads and runs what it finds there, and
 * without HOME would use one that everybody can write to. To be called before the first call that
 * uses OpenCL, with the device that was asked for (NULL: none).
 *
 * The folder is clkl/pocl in $XDG_CACHE_HOME or $HOME/.cache; if that cannot be had, a fresh one in
 * $TMPDIR or /tmp, which is removed at exit; if that cannot be had either, PoCL is left alone. A
 * POCL_CACHE_DIR that is set stays as it is, and the reference needs none.
 */
void cache_dir_prepare(const char *device);

#endif
