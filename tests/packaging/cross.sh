#!/bin/sh
# cross.sh aarch64|mingw WORK: compiles both libraries for another system with Debian's cross
# compiler and warnings as errors, installs them, links the C consumer with each, and looks at what
# came out. OpenCL's library is a stand-in, made from the functions that CL/cl.h declares. Exits 77
# where the compiler is missing. Needs CMAKE.
set -eu
system=$1
work=$2/$system
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
include=$work/opencl/include
prefix=$work/installed

fail() {
    echo "cross.sh $system: $*" >&2
    exit 1
}

case $system in
aarch64)
    triplet=aarch64-linux-gnu
    cc=$triplet-gcc
    package=gcc-aarch64-linux-gnu
    stand_in=$work/opencl/libOpenCL.so
    ;;
mingw)
    triplet=x86_64-w64-mingw32
    cc=$triplet-gcc-posix
    package=gcc-mingw-w64-x86-64-posix
    stand_in=$work/opencl/libOpenCL.dll.a
    ;;
*) fail "unknown system" ;;
esac
command -v "$cc" >/dev/null || {
    echo "SKIPPED: no $cc here (Debian package $package)"
    exit 77
}
[ -e /usr/include/CL/cl.h ] || {
    echo "SKIPPED: no /usr/include/CL here (Debian package opencl-headers)"
    exit 77
}

opencl_functions() {
    echo '#include <CL/cl.h>' | "$cc" -I"$include" -DCL_TARGET_OPENCL_VERSION=120 -E -P -x c - |
        grep -o '\bcl[A-Z][A-Za-z]*(' | tr -d '(' | sort -u
}

make_stand_in() {
    mkdir -p "$include"
    ln -sfn /usr/include/CL "$include/CL" # alone: the rest of /usr/include is this system's
    opencl_functions >"$work/functions"
    case $system in
    aarch64)
        sed 's/.*/void &(void); void &(void) {}/' "$work/functions" >"$work/opencl/stand_in.c"
        "$cc" -shared -fPIC -Wl,-soname,libOpenCL.so.1 -o "$stand_in" "$work/opencl/stand_in.c"
        ;;
    mingw)
        { echo 'LIBRARY OpenCL.dll' && echo EXPORTS && cat "$work/functions"; } >"$work/opencl/OpenCL.def"
        $triplet-dlltool -d "$work/opencl/OpenCL.def" -l "$stand_in"
        ;;
    esac
}

build() {
    { "$CMAKE" -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_TOOLCHAIN_FILE="$source/cmake/toolchains/$triplet.cmake" \
        -DCLKL_BUILD_TOOL=OFF -DCLKL_WERROR=ON \
        -DOpenCL_INCLUDE_DIR="$include" -DOpenCL_LIBRARY="$stand_in" &&
        "$CMAKE" --build "$work/build" &&
        "$CMAKE" --install "$work/build" --prefix "$prefix"; } >"$work/log" 2>&1 ||
        { cat "$work/log"; fail "cannot build"; }
}

# link KIND LIBRARY FLAGS...: the consumer with one of the libraries.
link() {
    kind=$1
    library=$2
    shift 2
    "$cc" -std=c11 -Wall -Wextra -Werror -I"$prefix/include" -I"$include" "$@" \
        -o "$work/consumer_$kind.exe" "$here/consumers/consumer.c" "$library" "$stand_in" -pthread -lm ||
        fail "cannot link with the $kind library"
}

# only WORDS < LINES: every line is one of the words.
only() {
    for word in "$@"; do echo "$word"; done >"$work/allowed"
    ! grep -vxiF -f "$work/allowed" || fail "needs more than $*"
}

# ---- What came out ----

check_aarch64() {
    library=$prefix/lib/libclkl.so
    readelf -h "$library" | grep -q 'Machine:.*AArch64' || fail "not for AArch64"
    "$here/check_symbols.sh" "$source/include" shared "$library"
    "$here/check_symbols.sh" "$source/include" static "$prefix/lib/libclkl.a"
    link shared "$library" -Wl,-rpath-link,"$work/opencl"
    link static "$prefix/lib/libclkl.a"
}

dll_exports() {
    $triplet-objdump -p "$1" | sed -n '/\[Ordinal\/Name Pointer\] Table/,/^$/s/.*\] *\(clkl.*\)/\1/p'
}

dll_needs() {
    $triplet-objdump -p "$1" | sed -n 's/.*DLL Name: //p'
}

check_mingw() {
    dll=$prefix/bin/libclkl.dll
    link shared "$prefix/lib/libclkl.dll.a" -DCLKL_DLL
    link static "$prefix/lib/libclkl.a"
    dll_needs "$dll" | only OpenCL.dll KERNEL32.dll msvcrt.dll libwinpthread-1.dll
    dll_needs "$work/consumer_shared.exe" | grep -qx libclkl.dll || fail "the DLL is not used"
    ! dll_needs "$work/consumer_static.exe" | grep -x libclkl.dll || fail "the DLL is used"
    # The functions of the headers are exported by the DLL, all of them and no others, and by a
    # program with the static library inside none.
    "$here/public_functions.sh" "$source/include" >"$work/public"
    dll_exports "$dll" | sort >"$work/exports"
    diff "$work/public" "$work/exports" || fail "exports of the DLL (< expected, > found)"
    [ -z "$(dll_exports "$work/consumer_static.exe")" ] || fail "the static library exports"
}

make_stand_in
build
check_"$system"
