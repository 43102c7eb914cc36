/* Must fail everywhere: 288 floats live at once, in a work-group so large that AMD has 64 to 192
 * registers for each work-item; NVIDIA never has more than 255. */
#define WG 1024

#define EACH(DO)                                                                                   \
    DO(0, 1, 7)                                                                                    \
    DO(1, 2, 8)                                                                                    \
    DO(2, 3, 9)                                                                                    \
    DO(3, 4, 10)                                                                                   \
    DO(4, 5, 11)                                                                                   \
    DO(5, 6, 12)                                                                                   \
    DO(6, 7, 13)                                                                                   \
    DO(7, 8, 14)                                                                                   \
    DO(8, 9, 15)                                                                                   \
    DO(9, 10, 16)                                                                                  \
    DO(10, 11, 17)                                                                                 \
    DO(11, 12, 0)                                                                                  \
    DO(12, 13, 1)                                                                                  \
    DO(13, 14, 2)                                                                                  \
    DO(14, 15, 3)                                                                                  \
    DO(15, 16, 4)                                                                                  \
    DO(16, 17, 5)                                                                                  \
    DO(17, 0, 6)

#define LOAD(i, next, other) float16 v##i = mine[i];
#define MIX(i, next, other) v##i = fma(v##i, v##next, v##other);
#define STORE(i, next, other) mine[i] = v##i;

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void spiller(__global float16 *p,
                                                                      const uint n)
{
    __global float16 *mine = p + get_global_id(0) * 18;
    EACH(LOAD)
    for (uint k = 0; k < n; ++k) {
        EACH(MIX)
    }
    EACH(STORE)
}
