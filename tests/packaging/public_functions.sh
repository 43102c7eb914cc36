#!/bin/sh
# public_functions.sh INCLUDE: the functions that the headers declare with CLKL_API, sorted.
set -eu
functions=$(awk '
    /^CLKL_API / {open = 1; text = ""}
    open {text = text " " $0}
    open && /;/ {
        open = 0
        sub(/ *\(.*/, "", text) # the name stands before the first parenthesis
        sub(/.*[ *]/, "", text)
        print text
    }' "$1/clkl/clkl.h" "$1/clkl/clkl_opencl.h" | LC_ALL=C sort)
# Marks that the lines above do not understand must not go unseen.
marks=$(cat "$1"/clkl/*.h | grep -v '^#define CLKL_API' | grep -c '^ *CLKL_API ')
[ "$(echo "$functions" | grep -c '^clkl_[a-z0-9_]*$')" = "$marks" ] || {
    echo "public_functions.sh: cannot read $1/clkl" >&2
    exit 1
}
echo "$functions"
