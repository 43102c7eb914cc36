/* Everything that `clkl kl` refuses: with exit status 2, one sentence, and no output. */
#include "support.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(cli_refusals, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

struct refusal {
    const char *words[10];
    const char *says;
};

/* Each is refused with a JSON report asked for, and leaves no file. */
static void expect_all(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *words[16] = {"kl", "--out", "must-not-appear.npy"};
        memcpy(words + 3, refusals[i].words, sizeof refusals[i].words);
        const unsigned before = scratch_count();
        run_words(words);
        expect_refusal(refusals[i].says);
        cr_expect_eq(scratch_count(), before, "a file appeared: %s", refusals[i].says);
    }
}

#define EXPECT_ALL(refusals) expect_all(refusals, sizeof refusals / sizeof refusals[0])

Test(cli_refusals, options)
{
    static const struct refusal refusals[] = {
        {{"p.npy", "--bogus"}, "unknown option --bogus; clkl kl --help"},
        {{"p.npy", "-x"}, "unknown option -x; clkl kl --help"},
        {{"-xy", "p.npy"}, "unknown option -xy;"},
        {{"--bogus=3", "p.npy"}, "unknown option --bogus;"},
        {{"p.npy", "--q"}, "option --q is the beginning of several"},
        {{"p.npy", "--json=1"}, "option --json takes no value"},
        {{"p.npy", "--clamp"}, "option --clamp is followed by nothing; expected --clamp LO,HI"},
        {{"p.npy", "--device"},
         "option --device is followed by nothing; expected --device cpu|gpu|reference|SEL"},
        {{"p.npy", "--keep", "1", "--keep", "1"}, "option --keep is given twice"},
        {{"p.npy", "--out", "b.npy"}, "option --out is given twice"},
        {{"p.npy", "-xy", "q.npy"}, "unknown option -xy;"},
        {{"p.npy", "--device", ""}, "option --device is given nothing"},
        {{""}, "an argument is empty"},
        {{"p.npy", "--json", "--csv"}, "--json and --csv both want standard output"},
        {{"p.npy", "--compute", "f16"}, "--compute 'f16': expected f32 or f64"},
        {{"p.npy", "--batch", "max"}, "--batch 'max': expected mean or sum"},
        {{"p.npy", "--keep", "1x"}, "--keep '1x': expected axes of the mean's shape with commas"},
        {{"p.npy", "--keep", "1;2"}, "--keep '1;2': expected axes"},
        {{"p.npy", "--keep", ","}, "--keep ',': expected axes"},
        {{"p.npy", "--keep", "1,,2"}, "--keep '1,,2': expected axes"},
        {{"p.npy", "--keep", "1,"}, "--keep '1,': expected axes"},
        {{"p.npy", "--keep", "0,none"}, "--keep '0,none': expected axes"},
        {{"p.npy", "--keep", "allx"}, "--keep 'allx': expected axes"},
        {{"p.npy", "--keep", "1,4294967297"}, "--keep '1,4294967297': expected axes"},
        {{"p.npy", "--keep", "0,1,2,3,4,5,6,7,8,0"},
         "--keep 0,1,2,3,4,5,6,7,8,0: found more than 9 axes"},
        {{"p.npy", "--split-axis", "one"}, "--split-axis one: found no whole number"},
        {{"p.npy", "--split-axis", "0"}, "--split-axis 0: axis 0 is the batch axis"},
        {{"p.npy", "--split-axis", "99999999999999999999"}, "found no whole number"},
        {{"p.npy", "--clamp", "3"}, "--clamp 3: expected two finite numbers"},
        {{"p.npy", "--clamp", "3,2"}, "--clamp 3,2: expected two finite numbers"},
        {{"p.npy", "--clamp", "nan,2"}, "--clamp nan,2: expected two finite numbers"},
        {{"p.npy", "--clamp", "-inf,2"}, "--clamp -inf,2: expected two finite numbers"},
        {{"p.npy", "--clamp", "1,2,3"}, "--clamp 1,2,3: expected two finite numbers"},
        {{"p.npy", "--clamp", "1,2", "--no-clamp"}, "contradict each other"},
    };
    EXPECT_ALL(refusals);
}

Test(cli_refusals, sides)
{
    static const struct refusal refusals[] = {
        {{NULL}, "P is missing; expected P.npy, --moments FILE, or --mean FILE"},
        {{"--q-moments", "q.npy"}, "P is missing"},
        {{"a.npy", "b.npy", "c.npy"}, "unexpected argument 'c.npy'"},
        {{"a.npy", "--moments", "b.npy"}, "P is given twice, by --moments and by 'a.npy'"},
        {{"a.npy", "b.npy", "--q-moments", "c.npy"},
         "Q is given twice, by --q-moments and by 'b.npy'"},
        {{"a.npy", "--mean", "b.npy", "--var", "c.npy"}, "P is given twice: 'a.npy' holds packed"},
        {{"a.npy", "--logvar", "b.npy"}, "so --logvar contradicts it"},
        {{"a.npy", "b.npy", "--q-std", "c.npy"}, "so --q-std contradicts it"},
        {{"--mean", "a.npy"}, "--mean is given without a scale; expected one of --logvar"},
        {{"a.npy", "--q-mean", "b.npy"},
         "--q-mean is given without a scale; expected one of --q-l"},
        {{"--std", "a.npy"}, "--std is given without --mean"},
        {{"a.npy", "--q-logstd", "a.npy"}, "--q-logstd is given without --q-mean"},
        {{"--mean", "a.npy", "--var", "b.npy", "--std", "c.npy"},
         "P has 2 scales; expected exactly"},
        {{"--deterministic"}, "--deterministic needs P.npy"},
        {{"--deterministic", "--mean", "a.npy", "--std", "b.npy"},
         "--std contradicts --deterministic"},
        {{"--deterministic", "a.npy", "--mean", "b.npy"}, "P is given twice, by --mean"},
        {{"--deterministic", "a.npy", "--clamp", "1,2"}, "there is nothing to clamp"},
        {{"--mean", "a.npy", "--var", "b.npy", "--clamp", "1,2"}, "neither side is given by them"},
        {{"--mean", "a.npy", "--var", "b.npy", "--split-axis", "1"}, "there is nothing to split"},
        {{"a.npy", "--q-mean", "b.npy", "--q-logvar", "c.npy"}, "say --clamp LO,HI or --no-clamp"},
        {{"--mean", "a.npy", "--logvar", "b.npy", "--q-moments", "c.npy"},
         "those of --logvar are not"},
        {{"-", "-"}, "'-' stands for standard input, which 2 inputs want"},
        {{"--mean", "-", "--var", "-"}, "'-' stands for standard input"},
    };
    EXPECT_ALL(refusals);
}

Test(cli_refusals, shapes)
{
    const float zeros[1024] = {0};
    put_f32("p.npy", zeros, SHAPE(4, 6, 2));
    put_f32("q5.npy", zeros, SHAPE(5, 6, 2));
    put_f32("q1.npy", zeros, SHAPE(1, 6, 2));
    put_f32("wide.npy", zeros, SHAPE(4, 6, 3));
    put_f32("flat.npy", zeros, SHAPE(4, 12));
    put_f32("row.npy", zeros, SHAPE(6));
    put_f32("odd.npy", zeros, SHAPE(4, 5));
    put_f32("many.npy", zeros, SHAPE(1, 2, 1, 1, 1, 1, 1, 1, 1, 1));
    put_code("empty.npy", "<f4", "(0, 8)", NULL, 0);
    static const struct refusal refusals[] = {
        {{"row.npy"},
         "row.npy: shape [6] has 1 axis; expected the batch axis and at least one other"},
        {{"empty.npy"}, "empty.npy: shape [0,8] has no elements"},
        {{"many.npy"}, "many.npy: shape [1,2,1,1,1,1,1,1,1,1] has 10 axes; expected at most 9"},
        {{"odd.npy"}, "odd.npy: axis 1 of shape [4,5] has 5 entries; expected an even number"},
        {{"p.npy", "--split-axis", "3"}, "--split-axis 3: P has 3 axes, of which 0 is the batch"},
        {{"p.npy", "--split-axis", "-3"}, "--split-axis -3: P has 3 axes, of which 0 is the batch"},
        {{"p.npy", "--keep", "3"},
         "--keep 3: the mean's shape [4,3,2] has no axis 3; expected 0 to 2, or -1 to -3"},
        {{"p.npy", "--keep", "1,-4"},
         "--keep 1,-4: the mean's shape [4,3,2] has no axis -4; expected 0 to 2, or -1 to -3"},
        {{"p.npy", "--keep", "0,1,2,3,4,5,6,7,8"}, "the mean's shape [4,3,2] has no axis 3;"},
        {{"p.npy", "--keep", "1,2,-2"},
         "--keep 1,2,-2: found axis 1 of the mean's shape [4,3,2] twice; expected each axis once"},
        {{"p.npy", "--keep", "0,0"}, "--keep 0,0: found axis 0 of the mean's shape [4,3,2] twice"},
        {{"p.npy", "--batch", "sum", "--keep", "2,-3"},
         "--batch sum: it says what to do over the batch axis, which --keep 2,-3 keeps"},
        {{"p.npy", "--batch", "mean", "--keep", "all"}, "which --keep all keeps; say --keep none"},
        {{"p.npy", "--batch", "sum"},
         "--batch sum: it says what to do over the batch axis, which --keep 0, the default, keeps"},
        {{"p.npy", "--batch", "mean", "--keep", "-3"}, "--batch mean: it says what to do"},
        {{"p.npy", "q5.npy"},
         "q5.npy: Q's shape [5,6,2] does not fit P's, [4,6,2] of p.npy; expected "
         "[4,6,2], the same with a batch of 1, or [6,2]"},
        {{"p.npy", "wide.npy"}, "wide.npy: Q's shape [4,6,3] does not fit P's, [4,6,2] of p.npy"},
        {{"p.npy", "flat.npy"}, "flat.npy: Q's shape [4,12] does not fit P's"},
        {{"p.npy", "row.npy"}, "row.npy: Q's shape [6] does not fit P's"},
        {{"q1.npy", "p.npy"},
         "q1.npy: P has a batch of 1, [1,6,2], but Q has one of 4, [4,6,2] of "
         "p.npy; only Q can be shared"},
        {{"--mean", "p.npy", "--var", "wide.npy"},
         "wide.npy: shape [4,6,3] differs from the mean's, [4,6,2] of p.npy"},
        {{"p.npy", "--q-mean", "p.npy", "--q-var", "p.npy"},
         "p.npy: Q's shape [4,6,2] does not fit P's, [4,6,2] of p.npy; expected [4,3,2]"},
        {{"p.npy", "--q-mean", "q5.npy", "--q-var", "q1.npy"}, "q1.npy: shape [1,6,2] differs"},
    };
    EXPECT_ALL(refusals);
}

Test(cli_refusals, types)
{
    const double zeros[8] = {0};
    put_code("half.npy", "<f2", "(2, 4)", zeros, 16);
    put_code("brain.npy", "|V2", "(2, 4)", zeros, 16);
    put_code("bits.npy", "<u2", "(2, 4)", zeros, 16);
    put_code("int.npy", "<i4", "(2, 4)", zeros, 32);
    put_code("bool.npy", "|b1", "(2, 4)", zeros, 8);
    put_f64("wide.npy", (const double[]){1e39, 0, 0, 0, 0, 0, 0, 0}, SHAPE(2, 4));
    F32("narrow.npy", SHAPE(2, 4), 0, 0, 0, 0, 0, 0, 0, 0);
    static const struct refusal refusals[] = {
        {{"int.npy"},
         "int.npy: holds int32; expected float16, float32, float64 or bfloat16. To convert it: "
         "python3 -c \"import numpy; numpy.save('f32.npy', "
         "numpy.load('int.npy').astype('float32'))\""},
        {{"bool.npy"}, "bool.npy: holds bool; expected float16"},
        {{"bits.npy"}, "bits.npy: holds uint16; if these are the bits of bfloat16, say --bf16"},
        {{"int.npy", "--bf16"}, "int.npy: holds int32"},
        {{"narrow.npy", "--bf16"}, "--bf16: no file holds uint16 or int16"},
        {{"--mean", "wide.npy", "--var", "narrow.npy"},
         "wide.npy holds float64, but narrow.npy holds float32; expected one type for both"},
        {{"--mean", "narrow.npy", "--var", "wide.npy"},
         "numpy.save('f64.npy', numpy.load('narrow.npy').astype('float64'))"},
        {{"--mean", "half.npy", "--var", "narrow.npy"},
         "numpy.save('f32.npy', numpy.load('half.npy').astype('float32'))"},
        {{"--mean", "narrow.npy", "--var", "brain.npy"},
         "(numpy.load('brain.npy').view('<u2').astype('<u4') << "
         "16).view('<f4').astype('float32'))"},
        {{"--mean", "brain.npy", "--var", "half.npy"}, "To widen them, the first, which is exact"},
        {{"wide.npy", "--compute", "f32"},
         "--compute f32: wide.npy holds 1e+39, which is beyond float32"},
    };
    EXPECT_ALL(refusals);
}

/* Whether the device that the tool takes has double precision. */
static bool chosen_has_fp64(bool *some_has)
{
    bool chosen = false;
    RUN("devices", "--json");
    json_t *root = run_json(), *device;
    size_t i;
    *some_has = false;
    json_array_foreach(json_object_get(root, "devices"), i, device)
    {
        const bool fp64 = json_is_true(json_object_get(device, "fp64"));
        *some_has = *some_has || fp64;
        chosen = chosen || (fp64 && json_is_true(json_object_get(device, "chosen")));
    }
    json_decref(root);
    return chosen;
}

/* Where no device is chosen, the reference computes. */
Test(cli_refusals, double_precision_on_a_device, .timeout = 300)
{
    F64("wide.npy", SHAPE(1, 2), 0, 0);
    F32("narrow.npy", SHAPE(1, 2), 0, 0);
    RUN("kl", "narrow.npy", "--json");
    json_t *root = run_json();
    const bool reference =
        strcmp(json_string_value(json_object_get(root, "backend")), "opencl") != 0;
    json_decref(root);
    bool some_has = false;
    if (reference || chosen_has_fp64(&some_has))
        cr_skip("there is no OpenCL device, or it has double precision");
    RUN("kl", "wide.npy", "--out", "kl.npy");
    expect_refusal("wide.npy: holds float64, which is computed in double precision; ");
    expect_err(some_has ? "has no double precision, but device " : "no usable device here has");
    RUN("kl", "narrow.npy", "--compute", "f64", "--out", "kl.npy");
    expect_refusal("--compute f64: ");
    expect_err("has no double precision");
    RUN("grad", "narrow.npy", "--gradient-type", "f64", "--out", "g");
    expect_refusal("--gradient-type f64: ");
    cr_expect_eq(scratch_count(), 2);
}

Test(cli_refusals, files)
{
    F32("whole.npy", SHAPE(4, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    put_text("text.npy", "mean,logvar\n");
    put_bytes("none.npy", "", 0);
    put_bytes("zip.npz", "PK\3\4..........", 14);
    char bytes[200];
    FILE *file = fopen("whole.npy", "rb");
    cr_assert_not_null(file);
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    cr_assert_eq(size, 192);
    put_bytes("cut.npy", bytes, size - 1);
    put_bytes("header.npy", bytes, 40);
    put_bytes("long.npy", bytes, size + 1);
    cr_assert_eq(mkdir("folder.npy", 0700), 0);
    static const struct refusal refusals[] = {
        {{"missing.npy"}, "missing.npy: cannot be opened: No such file"},
        {{"whole.npy", "missing.npy"}, "missing.npy: cannot be opened"},
        {{"--mean", "whole.npy", "--std", "missing.npy"}, "missing.npy: cannot be opened"},
        {{"folder.npy"}, "folder.npy: this is a directory"},
        {{"text.npy"}, "text.npy: not a .npy file"},
        {{"none.npy"}, "none.npy: it is empty"},
        {{"zip.npz"}, "zip.npz: this is an .npz archive"},
        {{"cut.npy"}, "cut.npy: the header promises 16 float32 values (64 bytes), but only 63"},
        {{"header.npy"}, "header.npy: the .npy header"},
        {{"long.npy"}, "long.npy: the header promises 16 float32 values"},
        {{"-"}, "standard input: "},
    };
    EXPECT_ALL(refusals);
}

Test(cli_refusals, unknown_device, .timeout = 300)
{
    F32("p.npy", SHAPE(1, 2), 1, 0);
    RUN("kl", "p.npy", "--device", "no such device", "--out", "kl.npy");
    expect_refusal("--device no such device: ");
    expect_err("`clkl devices` lists");
    expect_err("apt-get install pocl-opencl-icd");
    setenv("CLKL_DEVICE", "no such device", 1);
    RUN("kl", "p.npy", "--out", "kl.npy");
    expect_refusal("CLKL_DEVICE is no such device: ");
    cr_expect_eq(scratch_count(), 1);
    KL("p.npy");
    expect_status(0);
}
