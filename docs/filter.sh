#!/bin/sh
# filter.sh FILE: a file as Doxygen reads it, with the same number of lines.
#
# In a header every banner, "/* ---- Title ---- */", opens a group of that title, which ends at the
# next one or with the file; and the point of "e.g." ends no sentence. In Markdown a link into the
# source tree, which is not there beside the HTML, becomes what it is called, and a picture nothing.
set -eu
case $1 in
*.md)
    sed -E 's,!\[[^]]*\]\([^):]*\),,g; s,\[([^]]*)\]\([^):]*\),\1,g' "$1"
    ;;
*)
    awk '
        /^\/\* ---- .* ---- \*\/$/ {
            title = substr($0, 9, length($0) - 16)
            name = tolower(title)
            gsub(/[^a-z0-9]+/, "_", name)
            $0 = (open ? "/** @} */ " : "") "/** @defgroup " name " " title " */ /** @{ */"
            open = 1
        }
        { gsub(/e\.g\. /, "e.g.\\ ") }
        { print }
        END {
            if (open)
                print "/** @} */"
        }' "$1"
    ;;
esac
