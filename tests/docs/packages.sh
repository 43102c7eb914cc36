#!/bin/sh
# packages.sh CPACK BUILD_DIR SOURCE_DIR VERSION: makes the Debian packages in a folder of their own
# and looks at them as a user, as dpkg and as lintian do.
set -eu
cpack=$1 build=$2 source=$3 version=$4
for program in lintian dpkg-buildflags dpkg-gensymbols pkg-config; do
    command -v $program >/dev/null || {
        echo "$program is not installed"
        exit 77
    }
done
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
multiarch=$(dpkg-architecture -q DEB_HOST_MULTIARCH)
deb_version=$version-1
failures=0

fail() {
    echo "packages.sh: $*" >&2
    failures=1
}

# same WHAT EXPECTED GOT
same() {
    [ "$2" = "$3" ] || fail "$1:
-- expected
$2
-- got
$3"
}

deb() {
    echo "$tmp/$1_${deb_version}_$(dpkg --print-architecture).deb"
}

# ---- The packages and what they say of themselves ----
"$cpack" -G DEB --config "$build/CPackConfig.cmake" -B "$tmp" >"$tmp/log" 2>&1 || {
    cat "$tmp/log"
    exit 1
}
same packages "$(for name in clkl libclkl-dev libclkl1; do deb $name; done)" "$(ls "$tmp"/*.deb)"

field() {
    dpkg-deb -f "$(deb "$1")" "$2"
}
for name in clkl libclkl-dev libclkl1; do
    same "$name: Version" "$deb_version" "$(field $name Version)"
    same "$name: Priority" optional "$(field $name Priority)"
    case $(field $name Maintainer) in *@*) ;; *) fail "$name: no Maintainer" ;; esac
    dpkg-deb -x "$(deb $name)" "$tmp/root"
    dpkg-deb -e "$(deb $name)" "$tmp/control.$name"
    (cd "$tmp/root" && md5sum --quiet -c "$tmp/control.$name/md5sums") || fail "$name: md5sums"
done
same "sections" "math libdevel libs" \
    "$(field clkl Section) $(field libclkl-dev Section) $(field libclkl1 Section)"
same "Multi-Arch" "foreign same same" \
    "$(field clkl Multi-Arch) $(field libclkl-dev Multi-Arch) $(field libclkl1 Multi-Arch)"
same "Recommends" "pocl-opencl-icd | opencl-icd" "$(field libclkl1 Recommends)"
same "Recommends of clkl" "gnuplot-nox | gnuplot" "$(field clkl Recommends)"
same "Source" "clkl" "$(field libclkl1 Source)"

# needs PACKAGE DEPENDENCY: as it stands between commas.
needs() {
    case ", $(field "$1" Depends)," in
    *", $2"[\ ,]*) ;;
    *) fail "$1 does not depend on $2: $(field "$1" Depends)" ;;
    esac
}
needs clkl "libclkl1 (= $deb_version)"
needs clkl libc6
needs clkl libjansson4
needs clkl libzip4
needs libclkl-dev "libclkl1 (= $deb_version)"
needs libclkl-dev "ocl-icd-opencl-dev | opencl-dev"
needs libclkl1 libc6
needs libclkl1 "ocl-icd-libopencl1 | libopencl1"

# ---- For dpkg: what else is linked with the library, and when ldconfig runs ----
same "control files of libclkl1" "control md5sums shlibs symbols triggers" \
    "$(ls "$tmp/control.libclkl1" | tr '\n' ' ' | sed 's/ $//')"
for name in clkl libclkl-dev; do
    same "control files of $name" "control md5sums" \
        "$(ls "$tmp/control.$name" | tr '\n' ' ' | sed 's/ $//')"
done
same triggers "activate-noawait ldconfig" "$(cat "$tmp/control.libclkl1/triggers")"
same shlibs "libclkl 1 libclkl1 (>= $deb_version)" "$(cat "$tmp/control.libclkl1/shlibs")"
library=$tmp/root/usr/lib/$multiarch/libclkl.so.1
same symbols "$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort)" \
    "$(sed -n 's/^ \(.*\)@Base .*/\1/p' "$tmp/control.libclkl1/symbols" | sort)"

# ---- Contents ----
contents() {
    dpkg-deb -c "$(deb "$1")" | awk '!/^d/ { sub("^\\./", "", $6); print $1, $2, $6 }' |
        sed "s,lib/$multiarch,lib/MULTIARCH,; s,^\(l\).*root/root ,\1 ,; s, root/root,," | sort
}
documents() {
    for file in changelog.Debian.gz changelog.gz copyright; do
        echo "-rw-r--r-- usr/share/doc/$1/$file"
    done
    echo "-rw-r--r-- usr/share/lintian/overrides/$1"
}
same "contents of clkl" "$({
    documents clkl
    echo "-rwxr-xr-x usr/bin/clkl"
    echo "-rw-r--r-- usr/share/bash-completion/completions/clkl"
    echo "-rw-r--r-- usr/share/man/man1/clkl.1.gz"
} | sort)" "$(contents clkl)"
same "contents of libclkl1" "$({
    documents libclkl1
    echo "-rw-r--r-- usr/lib/MULTIARCH/libclkl.so.1.$version"
    echo "l usr/lib/MULTIARCH/libclkl.so.1"
} | sort)" "$(contents libclkl1)"
same "contents of libclkl-dev" "$({
    documents libclkl-dev
    echo "-rw-r--r-- usr/share/doc/libclkl-dev/README.md"
    for file in $(cd "$source/include" && ls clkl/*.h); do
        echo "-rw-r--r-- usr/include/$file"
    done
    echo "l usr/lib/MULTIARCH/libclkl.so"
    echo "-rw-r--r-- usr/lib/MULTIARCH/libclkl.a"
    echo "-rw-r--r-- usr/lib/MULTIARCH/pkgconfig/clkl.pc"
    for part in config config-version targets targets-release; do
        echo "-rw-r--r-- usr/lib/MULTIARCH/cmake/clkl/clkl-$part.cmake"
    done
} | sort)" "$(contents libclkl-dev)"
for file in "$tmp/root/usr/bin/clkl" "$library"; do
    if readelf -d "$file" | grep -E 'R(UN)?PATH'; then fail "$file has a search path"; fi
    readelf -d "$file" | grep -q 'FLAGS.*NOW' || fail "$file is bound lazily"
    readelf -S "$file" | grep -qE ' \.(symtab|debug_info|comment) ' && fail "$file is not stripped"
done
same "licence" "$(sed 1,4d "$source/LICENSE" | tr -s ' \n' ' ')" \
    "$(awk 'BEGIN { RS = "" } END { print }' "$source/packaging/copyright" |
        sed '1d; s/^ \.\{0,1\}//' | tr -s ' \n' ' ')"

lintian --fail-on error,warning "$tmp"/*.deb 2>"$tmp/log" || fail "lintian: $(cat "$tmp/log")"

# ---- Unpacked, they work ----
export LD_LIBRARY_PATH="$tmp/root/usr/lib/$multiarch"
same "clkl --version" "clkl $version" "$("$tmp/root/usr/bin/clkl" --version)"
"$tmp/root/usr/bin/clkl" kl "$source/data/digits_vae_moments.npy" --device reference >"$tmp/summary"
grep -q '^1797 samples of \[16\]' "$tmp/summary" || fail "no summary: $(cat "$tmp/summary")"
zcat "$tmp/root/usr/share/man/man1/clkl.1.gz" | grep -q "clkl $version" ||
    fail "the manual is of another version"

cat >"$tmp/caller.c" <<'EOF'
#include <clkl/clkl_opencl.h>
int main(void)
{
    return clkl_version() != CLKL_VERSION_MAJOR * 10000 + CLKL_VERSION_MINOR * 100 + CLKL_VERSION_PATCH;
}
EOF
export PKG_CONFIG_PATH="$LD_LIBRARY_PATH/pkgconfig"
# shellcheck disable=SC2046 # several options
cc -DCL_TARGET_OPENCL_VERSION=120 "$tmp/caller.c" -o "$tmp/caller" $(pkg-config --cflags --libs clkl) &&
    "$tmp/caller" || fail "a program cannot be built with libclkl-dev, or does not run"
exit $failures
