/* What the files of the layer share. */
#ifndef CLKL_TESTS_FAULTS_LAYER_INSIDE_H
#define CLKL_TESTS_FAULTS_LAYER_INSIDE_H

#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include "layer.h"

#include <CL/cl_layer.h>

/* Notes a call; returns what it must fail with, or CL_SUCCESS if it may go on. */
cl_int faults_enter(enum faults_call call, cl_uint what, cl_int usual_code);

/* Notes a call that never fails. */
void faults_note(enum faults_call call);

void faults_count_live(enum faults_kind kind, int difference);
bool faults_is_watching(void);
void CL_CALLBACK faults_buffer_was_freed(cl_mem mem, void *unused);

/* The layer's table, whose calls go on to those of `next`. */
const struct _cl_icd_dispatch *faults_table(const struct _cl_icd_dispatch *next);

/* ---- Lies ---- */

/* Changes the true answer `value` of `size` bytes. */
void faults_fake_device_info(cl_device_info what, size_t size, void *value);
void faults_fake_kernel_info(cl_kernel_work_group_info what, void *value);

/* A text to put before a program's, or NULL. */
const char *faults_fake_prefix(void);

/* What the pretended device says to a build, to a kernel that was built for work-groups of that
 * size, and to a launch that takes `local_memory` bytes. */
cl_int faults_fake_build(void);
cl_int faults_fake_built(size_t work_group);
cl_int faults_fake_launch(size_t work_group, cl_ulong local_memory);

#endif
