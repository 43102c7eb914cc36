#include "devices_report.h"

#include "json_text.h"
#include "library_error.h"
#include "message.h"

static void print_device(FILE *to, size_t index, const clkl_device_info *info)
{
    fprintf(to, "%s%5zu  %-11s  %5u  %6.1f GiB  %-4s  %s\n", info->chosen ? "*" : " ", index,
            info->type, (unsigned)info->compute_units, (double)info->global_memory / 0x1p30,
            info->fp64 ? "yes" : "no", info->name);
    fprintf(to, "        %s; %s\n", info->platform, info->reason);
}

bool devices_print_table(FILE *to, const clkl_device_info *infos, size_t count)
{
    if (count == 0) {
        fprintf(to,
                "OpenCL sees no device on this machine; %s.\n"
                "Until then clkl computes with its reference, in plain C.\n",
                library_install_hint);
        return true;
    }
    bool any = false;
    fputs(" index  type         units      memory  fp64  name\n", to);
    for (size_t i = 0; i < count; i++) {
        print_device(to, i, &infos[i]);
        any = any || infos[i].chosen != 0;
    }
    fputs(any ? "* would be used\n" : "none of them would be used\n", to);
    return true;
}

static json_t *describe(size_t index, const clkl_device_info *info)
{
    return json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:b, s:b, s:o}", "index", (json_int_t)index,
        "name", json_text(info->name), "platform", json_text(info->platform), "type",
        json_text(info->type), "version", json_text(info->version), "driver",
        json_text(info->driver), "compute_units", (json_int_t)info->compute_units, "global_memory",
        (json_int_t)info->global_memory, "fp64", (int)info->fp64, "usable", (int)info->usable,
        "chosen", (int)info->chosen, "reason", json_text(info->reason));
}

bool devices_print_json(FILE *to, const clkl_device_info *infos, size_t count)
{
    json_t *devices = json_array();
    bool good = devices != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = json_array_append_new(devices, describe(i, &infos[i])) == 0;
    json_t *root = json_pack("{s:s, s:o}", "schema", "clkl-devices-1", "devices", devices);
    if (good && root != NULL) {
        json_dumpf(root, to, JSON_INDENT(2));
        fputc('\n', to);
    } else {
        message("there is no memory for the JSON of %zu devices", count);
    }
    json_decref(root);
    return good && root != NULL;
}
