/* The layer's book-keeping, and what the loader asks of a layer. */
#include "layer_inside.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE = 4096 };

static atomic_bool loaded, watching;
static atomic_uint counts[CALL_COUNT];
static atomic_uchar trace[TRACE];
static atomic_uint traced, freed;
static atomic_int live[LIVE_KINDS];

/* The failure ordered, and the one that has happened. */
static enum faults_call failing = CALL_COUNT;
static unsigned failing_at;
static cl_int failing_code;
static atomic_uint matched;
static struct faults_failure failure;

const char *faults_call_name(enum faults_call call)
{
#define NAME(name) #name,
    static const char *const names[] = {FAULTS_CALLS(NAME)};
#undef NAME
    return names[call];
}

bool faults_is_loaded(void)
{
    return loaded;
}

/* ---- Watching ---- */

void faults_reset(void)
{
    watching = false;
    for (int call = 0; call < CALL_COUNT; ++call)
        counts[call] = 0;
    traced = freed = 0;
    faults_fail(CALL_COUNT, 0, 0);
}

void faults_watch(bool on)
{
    watching = on;
}

bool faults_is_watching(void)
{
    return watching;
}

unsigned faults_count(enum faults_call call)
{
    return counts[call];
}

size_t faults_trace(enum faults_call *calls, size_t capacity)
{
    const size_t known = traced < TRACE ? traced : TRACE;
    for (size_t i = 0; i < known && i < capacity; ++i)
        calls[i] = (enum faults_call)trace[i];
    return traced;
}

void faults_note(enum faults_call call)
{
    if (!watching)
        return;
    atomic_fetch_add(&counts[call], 1);
    const unsigned place = atomic_fetch_add(&traced, 1);
    if (place < TRACE)
        trace[place] = (unsigned char)call;
}

/* ---- Failing ---- */

void faults_fail(enum faults_call call, unsigned nth, cl_int code)
{
    failing = call;
    failing_at = nth;
    failing_code = code;
    matched = 0;
    failure = (struct faults_failure){0};
}

struct faults_failure faults_failure(void)
{
    return failure;
}

cl_int faults_enter(enum faults_call call, cl_uint what, cl_int usual_code)
{
    faults_note(call);
    if (!watching || (failing != CALL_COUNT && failing != call) ||
        atomic_fetch_add(&matched, 1) + 1 != failing_at)
        return CL_SUCCESS;
    failure.count++;
    failure.call = call;
    failure.what = what;
    failure.code = failing_code != 0 ? failing_code : usual_code;
    return failure.code;
}

/* ---- Objects ---- */

void faults_count_live(enum faults_kind kind, int difference)
{
    atomic_fetch_add(&live[kind], difference);
}

struct faults_live faults_live(void)
{
    struct faults_live now;
    for (int kind = 0; kind < LIVE_KINDS; ++kind)
        now.of[kind] = live[kind];
    return now;
}

void CL_CALLBACK faults_buffer_was_freed(cl_mem mem, void *unused)
{
    (void)mem, (void)unused;
    atomic_fetch_add(&freed, 1);
}

unsigned faults_buffers_freed(void)
{
    return freed;
}

/* ---- Programs that do not know the layer ---- */

static void report(void)
{
    const struct faults_live now = faults_live();
    int all = 0;
    for (int kind = 0; kind < LIVE_KINDS; ++kind)
        all += abs(now.of[kind]);
    FILE *file = fopen(getenv("FAULTS_REPORT"), "a");
    if (file == NULL)
        return;
    fprintf(file, "calls %u injected %u into %s live %d\n", atomic_load(&traced), failure.count,
            failure.count > 0 ? faults_call_name(failure.call) : "none", all);
    fclose(file);
}

static void obey_environment(void)
{
    const char *at = getenv("FAULTS_AT");
    if (getenv("FAULTS_REPORT") == NULL)
        return;
    faults_fail(CALL_COUNT, at != NULL ? (unsigned)strtoul(at, NULL, 10) : 0, 0);
    watching = true;
    atexit(report);
}

/* ---- What the loader asks ---- */

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value,
                                               size_t *size_needed)
{
    static const char name[] = "clkl faults";
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    const bool is_name = what == CL_LAYER_NAME;
    const size_t needed = is_name ? sizeof name : sizeof version;
    if ((!is_name && what != CL_LAYER_API_VERSION) || (value != NULL && size < needed))
        return CL_INVALID_VALUE;
    if (value != NULL)
        memcpy(value, is_name ? (const void *)name : &version, needed);
    if (size_needed != NULL)
        *size_needed = needed;
    return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const struct _cl_icd_dispatch *next,
                                            cl_uint *entries_used,
                                            const struct _cl_icd_dispatch **table)
{
    const cl_uint mine = sizeof *next / sizeof(void *);
    if (next == NULL || entries_used == NULL || table == NULL || entries < mine)
        return CL_INVALID_VALUE;
    *table = faults_table(next);
    *entries_used = mine;
    loaded = true;
    obey_environment();
    return CL_SUCCESS;
}
