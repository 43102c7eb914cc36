/* The device of a test program, and what its results may be off by. To be included by one file of a
 * program, which gives the two functions to its TestSuite. */
#ifndef CLKL_TESTS_DEVICE_FIXTURE_H
#define CLKL_TESTS_DEVICE_FIXTURE_H

#include "compare.h"

static struct test_device device;
static struct tolerance tolerance;

static void open_device(void)
{
    test_device_open(&device);
    tolerance = device_tolerance(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

#endif
