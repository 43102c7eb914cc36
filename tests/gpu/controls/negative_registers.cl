/* Must fail everywhere: about 190 floats live at once fit into the registers of NVIDIA and AMD,
 * but leave room for few threads. On Intel they spill, or the SIMD width falls to 8. */
#define WG 64

__kernel __attribute__((reqd_work_group_size(WG, 1, 1))) void crowded(__global float16 *p,
                                                                      const uint n)
{
    __global float16 *mine = p + get_global_id(0) * 12;
    float16 a = mine[0], b = mine[1], c = mine[2], d = mine[3], e = mine[4], f = mine[5];
    float16 g = mine[6], h = mine[7], i = mine[8], j = mine[9], l = mine[10], m = mine[11];
    for (uint k = 0; k < n; ++k) {
        a = fma(a, b, g);
        b = fma(b, c, h);
        c = fma(c, d, i);
        d = fma(d, e, j);
        e = fma(e, f, l);
        f = fma(f, g, m);
        g = fma(g, h, a);
        h = fma(h, i, b);
        i = fma(i, j, c);
        j = fma(j, l, d);
        l = fma(l, m, e);
        m = fma(m, a, f);
    }
    mine[0] = a + b + c + d + e + f;
    mine[1] = g + h + i + j + l + m;
}
