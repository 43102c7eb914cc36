#!/bin/sh
# check_complete.sh RELEASE PROGRAM: the program of a release uses every function of its headers, and
# its layout.c names every constant and every struct of them.
set -eu
export LC_ALL=C
release=$1
program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check_complete.sh: $*" >&2
    exit 1
}

"$(dirname "$0")/../public_functions.sh" "$release/include" >"$work/functions"
nm -u "$program" | awk '{print $NF}' | grep '^clkl_' | sort >"$work/used"
diff "$work/functions" "$work/used" || fail "functions of the headers (<) and those that are used (>)"

# Names that stand at a definition: enumerators, macros with a number, and the ends of structs.
sed -n -e 's/^ *\(CLKL_[A-Z0-9_]*\) = .*/\1/p' -e 's/^#define \(CLKL_[A-Z0-9_]*\) *[0-9].*/\1/p' \
    -e 's/^} \(clkl_[a-z0-9_]*\);/\1/p' "$release"/include/clkl/*.h |
    grep -v '^CLKL_VERSION_' | sort >"$work/names"
{
    sed -n -e 's/^ *STRUCT([A-Z_]*, \(.*\)),/\1/p' -e 's/^ *CONSTANT(\(.*\)),/\1/p' "$release/layout.c"
    sed -n 's/^typedef enum \(clkl_[a-z0-9_]*\) {/\1/p' "$release"/include/clkl/*.h # by their values
} | sort >"$work/listed"
diff "$work/names" "$work/listed" || fail "names of the headers (<) and those in layout.c (>)"
