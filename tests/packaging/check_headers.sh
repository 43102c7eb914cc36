#!/bin/sh
# check_headers.sh CC CXX INCLUDE: each public header compiles alone, in every language and standard
# that it promises, without a warning; clkl.h wants no OpenCL header; and neither defines a macro that
# is not named CLKL_. Exits 77 where the compilers are missing.
set -eu
cc=$1
cxx=$2
include=$3
for compiler in "$cc" "$cxx"; do
    command -v "$compiler" >/dev/null || {
        echo "SKIPPED: no $compiler here"
        exit 77
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef"

fail() {
    echo "check_headers.sh: $*" >&2
    exit 1
}

# compile HEADER FLAGS...: as the only header of C99, C11 and C++11, and of their successors.
compile() {
    header=$1
    shift
    for std in c99 c11 c17; do
        echo "#include <clkl/$header>" >"$work/alone.c"
        "$cc" -std=$std $warnings -Wstrict-prototypes -I"$include" "$@" -fsyntax-only \
            "$work/alone.c" || fail "$header as $std"
    done
    for std in c++11 c++17 c++20; do
        echo "#include <clkl/$header>" >"$work/alone.cpp"
        "$cxx" -std=$std $warnings -Wold-style-cast -I"$include" "$@" -fsyntax-only \
            "$work/alone.cpp" || fail "$header as $std"
    done
}

# macros FLAGS... < SOURCE: the macros that are defined at its end.
macros() {
    "$cc" -std=c11 -I"$include" "$@" -dM -E -x c - | sort
}

check_macros() {
    printf '#include <%s>\n' stddef.h stdint.h string.h CL/cl.h | macros "$@" >"$work/without"
    echo '#include <clkl/clkl_opencl.h>' | macros "$@" >"$work/with"
    comm -13 "$work/without" "$work/with" >"$work/added"
    grep -q ' CLKL_VERSION_MAJOR ' "$work/added" || fail "clkl's macros were not seen"
    if grep -v '^#define CLKL_' "$work/added"; then
        fail "clkl_opencl.h defines macros of other names $*"
    fi
    [ -z "$(comm -23 "$work/without" "$work/with")" ] || fail "clkl_opencl.h changes a macro $*"
}

# Folders in which every OpenCL header is an error.
mkdir -p "$work/poison/CL" "$work/poison/OpenCL"
for name in cl.h opencl.h cl_platform.h cl_version.h; do
    echo '#error "an OpenCL header was included"' | tee "$work/poison/CL/$name" >"$work/poison/OpenCL/$name"
done

compile clkl.h -I"$work/poison"
echo '#include <clkl/clkl.h>' >"$work/alone.c"
if "$cc" -I"$include" -M "$work/alone.c" | grep -E '(CL|OpenCL)/'; then
    fail "clkl.h includes an OpenCL header"
fi
compile clkl_opencl.h
compile clkl_opencl.h -DCL_TARGET_OPENCL_VERSION=120
check_macros
check_macros -DCL_TARGET_OPENCL_VERSION=120
check_macros -DCL_TARGET_OPENCL_VERSION=300
