#!/bin/sh
# consume.sh BUILD WAY KIND: builds and runs a consumer of clkl outside the build tree BUILD, in
# BUILD/consumers. "install" first installs BUILD there, and moves the installed tree.
#   consume.sh BUILD install
#   consume.sh BUILD pkg_config|find_package|add_subdirectory shared|static
#   consume.sh BUILD find_package_cxx|fetch_content
#   consume.sh BUILD alone shared|static   a library of one kind, in a folder as Debian has them
# Needs CMAKE, PROBE (a program that tells whether there is an OpenCL device) and VERSION.
set -eu
build=$1
way=$2
kind=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$build/consumers
prefix=$work/moved/clkl
out=$work/$way${kind:+_$kind}

fail() {
    echo "consume.sh: $*" >&2
    exit 1
}

install_and_move() {
    rm -rf "$work/first" "$work/moved"
    mkdir -p "$work/moved"
    "$CMAKE" --install "$build" --prefix "$work/first" >/dev/null
    mv "$work/first" "$prefix"
    # Installed text must not know the places where it was built or first installed.
    files=$(grep -rlIF -e "$build" -e "$source" -e "$work" "$prefix") || true
    [ -z "$files" ] || fail "absolute paths in" $files
}

libdir() {
    dirname "$(dirname "$(find "$prefix" -name clkl.pc)")"
}

# build_with_make shared|static|alone: see the Makefile.
build_with_make() {
    rm -rf "$out"
    mkdir -p "$out"
    PKG_CONFIG_PATH=$(libdir)/pkgconfig make -s -B -C "$out" \
        -f "$here/consumers/pkg_config/Makefile" KIND="$1" SOURCE="$here/consumers/consumer.c"
}

# logged COMMAND...: quiet unless it fails.
logged() {
    "$@" >"$out.log" 2>&1 || { cat "$out.log"; fail "cannot build"; }
}

build_with_cmake() {
    rm -rf "$out"
    logged "$CMAKE" -S "$here/consumers/$way" -B "$out" -G Ninja -DKIND="$kind" -DCLKL_DIR="$source" \
        -DCLKL_EXPECTED_VERSION="$VERSION" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
    logged "$CMAKE" --build "$out" --parallel 2
}

# Builds one kind of library and installs it below DESTDIR.
install_alone() {
    other=shared
    [ "$kind" = static ] || other=static
    rm -rf "$out"
    # Without jansson, libzip, Criterion, or whatever else pkg-config would find.
    logged env PKG_CONFIG_LIBDIR=/nonexistent \
        "$CMAKE" -S "$source" -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCLKL_BUILD_TOOL=OFF \
        -DCLKL_BUILD_"$(echo $other | tr "[:lower:]" "[:upper:]")"=OFF -DCMAKE_INSTALL_PREFIX=/opt/clkl \
        -DCMAKE_INSTALL_LIBDIR="lib/$(cc -print-multiarch)"
    logged "$CMAKE" --build "$out" --parallel 2
    rm -rf "$out.root"
    logged env DESTDIR="$out.root" "$CMAKE" --install "$out"
    prefix=$out.root/opt/clkl
    files=$(find "$prefix" -name "libclkl.$([ $other = static ] && echo a || echo so)*")
    [ -z "$files" ] || fail "installed" $files
}

# The library's own flags must not reach the consumer's sources.
check_flags() {
    flags=$(grep '"command".*consumer\.dir' "$out/compile_commands.json") || fail "no compile command"
    case $flags in
    *-ffp-contract* | *-fno-tree-slp* | *-Wconversion* | *CLKL_BUILDING*) fail "flags leak: $flags" ;;
    esac
}

# The consumer uses the kind of library that it asked for.
check_kind() {
    needed=$(readelf -d "$out/consumer" | grep -c 'NEEDED.*libclkl\.so\.1\]') || true
    case $kind in
    static) [ "$needed" = 0 ] || fail "the consumer needs libclkl.so" ;;
    *) [ "$needed" = 1 ] || fail "the consumer does not need libclkl.so.1" ;;
    esac
}

# What a project installs does not include clkl, unless it asks for that.
check_install() {
    rm -rf "$out/installed"
    "$CMAKE" --install "$out" --prefix "$out/installed" >/dev/null
    installed=$(find "$out/installed" ! -type d | wc -l)
    [ "$installed" = 1 ] || fail "more than the consumer was installed in $out/installed"
}

run_consumer() {
    export OCL_ICD_VENDORS="${OCL_ICD_VENDORS-pocl.icd}"
    LD_LIBRARY_PATH=$1 "$out/consumer" >"$out/output" || fail "the consumer failed"
    cat "$out/output"
    grep -q '^host: ' "$out/output" || fail "nothing was computed on host memory"
    if "$PROBE" && ! grep '^device: ' "$out/output" | grep -qv none; then
        fail "there is a device, and the consumer did not use it"
    fi
}

unset CLKL_DEVICE
case $way in
install)
    install_and_move
    ;;
pkg_config)
    build_with_make "$kind"
    check_kind
    run_consumer "$(libdir)"
    ;;
find_package | find_package_cxx)
    build_with_cmake -DCMAKE_PREFIX_PATH="$prefix"
    check_flags
    check_kind
    run_consumer ""
    ;;
add_subdirectory)
    # NaN and infinity mean something in clkl, whatever they mean to the rest of the project.
    build_with_cmake -DCMAKE_C_FLAGS=-ffast-math
    check_flags
    check_kind
    check_install
    run_consumer ""
    ;;
alone)
    install_alone
    out=$out.pkg_config
    build_with_make "$([ "$kind" = static ] && echo alone || echo shared)"
    check_kind
    run_consumer "$(libdir)"
    way=find_package_cxx
    out=${out%.pkg_config}.find_package
    build_with_cmake -DCMAKE_PREFIX_PATH="$prefix"
    check_kind
    run_consumer ""
    way=find_package
    kind=$other
    rm -rf "$out.other"
    ! "$CMAKE" -S "$here/consumers/$way" -B "$out.other" -DKIND="$other" \
        -DCLKL_EXPECTED_VERSION="$VERSION" -DCMAKE_PREFIX_PATH="$prefix" >"$out.log" 2>&1 ||
        fail "the $other library was found"
    tr -s '\n ' ' ' <"$out.log" | grep -q "set clkl_FOUND to FALSE" || { cat "$out.log"; fail "refused otherwise"; }
    ;;
fetch_content)
    kind=static
    build_with_cmake
    check_flags
    check_kind
    run_consumer ""
    ;;
*)
    fail "unknown way: $way"
    ;;
esac
