/* Short ways into the tool's JSON. */
#ifndef CLKL_TESTS_CLI_JSON_ITEMS_H
#define CLKL_TESTS_CLI_JSON_ITEMS_H

#include <criterion/criterion.h>
#include <jansson.h>

/* A member, which is there. */
static inline const json_t *at(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    cr_assert_not_null(value, "%s", key);
    return value;
}

/* Number i of an array. */
static inline double item(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

/* A member that is a number. */
static inline double number(const json_t *object, const char *key)
{
    return json_number_value(at(object, key));
}

#endif
