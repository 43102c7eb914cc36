/* Fails unless programs that were compiled with an older release's headers find every field and
 * every constant where it was; structs may have grown at their ends. */
#include "layout.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void differ(const char *name, const char *what, long long then, long long now)
{
    fprintf(stderr, "%s: %s was %lld and is %lld\n", name, what, then, now);
    ++failures;
}

static void compare(const struct layout_row *then, const struct layout_row *now)
{
    const int may_grow = then->kind == LAYOUT_GROWS && now->size > then->size;
    if (now->size != then->size && !may_grow)
        differ(then->name, "the size", (long long)then->size, (long long)now->size);
    if (now->offset != then->offset)
        differ(then->name, "the offset", (long long)then->offset, (long long)now->offset);
    if (now->value != then->value)
        differ(then->name, "the value", then->value, now->value);
}

/* ---- Whether the rows name every field of the release: they must leave no gap ---- */

static size_t round_up(size_t offset, size_t alignment)
{
    return (offset + alignment - 1) / alignment * alignment;
}

static void check_end(const struct layout_row *structure, size_t end)
{
    if (structure != NULL && round_up(end, structure->alignment) != structure->size)
        differ(structure->name, "the end of the fields that are listed", (long long)structure->size,
               (long long)end);
}

static void check_complete(const struct layout_row *rows)
{
    const struct layout_row *structure = NULL;
    size_t end = 0;
    for (; rows->name != NULL; ++rows) {
        if (rows->kind == LAYOUT_FIELD) {
            const size_t expected = round_up(end, rows->alignment);
            if (rows->offset != expected)
                differ(rows->name, "a field before it is not listed: the offset",
                       (long long)expected, (long long)rows->offset);
            end = rows->offset + rows->size;
            continue;
        }
        check_end(structure, end);
        structure = rows->kind == LAYOUT_CONSTANT ? NULL : rows;
        end = 0;
    }
    check_end(structure, end);
}

int main(void)
{
    size_t i = 0;
    for (; layout_then[i].name != NULL; ++i)
        compare(&layout_then[i], &layout_now[i]);
    check_complete(layout_then);
    printf("%zu rows compared, %d differences\n", i, failures);
    return i == 0 || failures != 0;
}
