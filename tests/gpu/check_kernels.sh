#!/bin/sh
# check_kernels.sh LIST_BUILDS FOLDER: gpucheck.py over every build that LIST_BUILDS prints.
set -e
mkdir -p "$2"
"$1" "$2" >"$2/builds.tsv"
exec "$(dirname "$0")/gpucheck.py" --builds "$2/builds.tsv"
