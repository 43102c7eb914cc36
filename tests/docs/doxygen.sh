#!/bin/sh
# doxygen.sh DOXYFILE SOURCE_DIR: makes the API documentation into a folder of its own, which fails on
# any warning, and looks at what came out.
set -eu
doxyfile=$1 source=$2
command -v doxygen >/dev/null || {
    echo "doxygen is not installed"
    exit 77
}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$source/docs" # where the filter is
run_doxygen()
{
    { cat "$doxyfile"; printf '%s\n' "OUTPUT_DIRECTORY = \"$out\"" "$@"; } | doxygen -
}
# Where structs are shown inline Doxygen does not miss the text of a member, so once without. That of
# a value it never misses.
run_doxygen "INLINE_SIMPLE_STRUCTS = NO" "GENERATE_HTML = NO" "GENERATE_XML = YES"
run_doxygen
html=$out/html

fail()
{
    echo "$*" >&2
    exit 1
}

values=$(awk '/<enumvalue / { name = ""; said = 0 }
    /<name>/ && name == "" { name = $0; gsub(/<[^>]*>| /, "", name) }
    /<para>/ { said = 1 }
    /<\/enumvalue>/ && !said { print name }' "$out"/xml/*.xml)
[ -z "$values" ] || fail "not documented:" $values

# Every function has an entry, and every banner a group.
for header in clkl clkl_opencl; do
    file=$source/include/clkl/$header.h
    for name in $(sed -n '/^CLKL_API/,/;/p' "$file" | grep -o '\bclkl_[a-z_]*(' | tr -d '('); do
        grep -q "class=\"memtitle\">.*>$name()" "$html"/*.html || fail "$name has no entry"
    done
    sed -n 's,^/\* ---- \(.*\) ---- \*/$,\1,p' "$file" | while IFS= read -r title; do
        grep -qF "<title>clkl: $title</title>" "$html"/group__*.html || fail "no group is called '$title'"
    done
done

# Examples and formulas are blocks that keep their lines.
holds_line()
{
    awk 'sub(/.*<pre class="fragment">/, "") { on = 1 } on { print } /<\/pre>/ { on = 0 }' "$html/$1" |
        grep -q "^$2" || fail "$1 has no line '$2'"
}
holds_line clkl_8h.html 'clkl_spec_moments(&amp;spec, 4, shape);  '
holds_line clkl_8h.html 'KL = 1/2 sum_i \[ phi(lp_i - lq_i)'
holds_line clkl_8h.html 'KL = 1/2 sum_i \[ psi('
holds_line clkl__opencl_8h.html 'clkl_plan_create(device, &amp;spec, 0, &amp;plan, NULL);'
grep -q '<div class="title">clkl' "$html/index.html" && grep -q 'Finding your way' "$html/index.html" ||
    fail "README.md is not the main page"
