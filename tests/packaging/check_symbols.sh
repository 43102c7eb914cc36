#!/bin/sh
# check_symbols.sh INCLUDE shared|static LIBRARY: what the library defines, exports, imports and
# needs. The public functions are those that the headers declare with CLKL_API.
set -eu
export LC_ALL=C
include=$1
kind=$2
library=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check_symbols.sh: $library: $*" >&2
    exit 1
}

# same WHAT A B: two sorted lists have the same lines.
same() {
    diff "$work/$2" "$work/$3" >"$work/diff" || { cat "$work/diff"; fail "$1 (< expected, > found)"; }
}

check_imports() {
    for name in printf vprintf fprintf vfprintf dprintf puts fputs putchar fputc putc fwrite write \
        perror stdout stderr __printf_chk __fprintf_chk __vprintf_chk __vfprintf_chk fopen open \
        exit _exit _Exit quick_exit abort __assert_fail atexit on_exit __cxa_atexit raise signal \
        sigaction setlocale uselocale setenv unsetenv putenv chdir umask rand srand fork system \
        dlopen fesetround fesetenv feenableexcept; do
        ! grep -qx "$name" "$work/imports" || fail "imports $name"
    done
    grep -qx clEnqueueNDRangeKernel "$work/imports" || fail "the imports were not seen"
}

# ---- The shared library ----

# Symbols of writable sections, but for those that are read-only after relocation (the segment
# GNU_RELRO) and those that the compiler's own start files bring.
writable_symbols() {
    relro=$(readelf -lW "$library" | awk '
        /^ *Type/ {headers = 1; next}
        / to Segment mapping/ {headers = 0}
        headers && /^  [A-Z]/ {if ($1 == "GNU_RELRO") wanted = n; ++n}
        /^ +[0-9]+ / && !headers && wanted != "" && $1 + 0 == wanted {$1 = ""; print}')
    readelf -SW "$library" | sed -e 's/^ *\[ *\([0-9]*\)\]/\1/' | awk -v relro=" $relro " '
        $1 ~ /^[0-9]+$/ && $8 ~ /W/ && index(relro, " " $2 " ") == 0 {print $1}' >"$work/writable"
    [ -s "$work/writable" ] || fail "no writable section was seen, not even .bss"
    readelf -sW "$library" | awk '
        FNR == NR {writable[$1]; next}
        $3 != "0" && ($4 == "OBJECT" || $4 == "TLS" || $4 == "COMMON") && $7 in writable {print $8}
    ' "$work/writable" - | grep -vxE 'completed\.0|__dso_handle|__aarch64_have_lse_atomics' || true
}

check_shared() {
    nm -D --defined-only "$library" | awk '{print $NF}' | sort >"$work/exports"
    same "exports are not the public functions" public exports
    nm -D -u "$library" | awk '{sub(/@.*/, "", $NF); print $NF}' >"$work/imports"
    check_imports
    readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$work/needed"
    grep -q '^libOpenCL\.so' "$work/needed" || fail "does not need libOpenCL"
    if grep -vE '^(libOpenCL|libm|libc|ld-linux[-a-z0-9_]*)\.so\.[0-9]+$' "$work/needed"; then
        fail "needs more than libOpenCL, libm and libc"
    fi
    readelf -sW "$library" | grep -q "\.symtab" || fail "is stripped: its data cannot be seen"
    found=$(writable_symbols)
    [ -z "$found" ] || fail "has writable data:" $found
}

# ---- The static library ----

check_static() {
    # Every object's sections: what is writable and not .data.rel.ro must be empty.
    readelf -SW "$library" | sed -e 's/^ *\[ *[0-9]*\]//' |
        awk '$7 ~ /W/ && $1 !~ /^\.data\.rel\.ro/ && $5 !~ /^0+$/ {print $1}' >"$work/writable"
    [ ! -s "$work/writable" ] || fail "has writable data in" $(cat "$work/writable")
    ! nm "$library" | grep ' C ' || fail "has common symbols"

    readelf -sW "$library" | awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" {print $6, $8}' | sort >"$work/globals"
    awk '$1 == "DEFAULT" {print $2}' "$work/globals" >"$work/exports"
    same "visible symbols are not the public functions" public exports
    if grep -v ' clkl_' "$work/globals"; then
        fail "has global symbols whose names are not its own"
    fi
    nm -u "$library" | awk 'NF == 2 {print $2}' | sort -u >"$work/imports"
    check_imports
}

"$(dirname "$0")/public_functions.sh" "$include" >"$work/public"
check_"$kind"
