#!/bin/sh
# on_implementation.sh NAME PROBE PROGRAM...: runs PROGRAM with one OpenCL implementation alone; exits
# 77, which ctest shows as skipped, where PROBE finds no device of it.
name=$1
probe=$2
shift 2
unset CLKL_DEVICE
simulator=
case $name in
pocl) export OCL_ICD_VENDORS=pocl.icd package=pocl-opencl-icd ;;
oclgrind) export package=oclgrind OCLGRIND_BUILD_OPTIONS=-cl-opt-disable simulator=oclgrind ;;
rusticl) export OCL_ICD_VENDORS=rusticl.icd RUSTICL_ENABLE=llvmpipe package=mesa-opencl-icd ;;
*) echo "unknown implementation: $name" >&2; exit 2 ;;
esac
if ! $simulator "$probe"; then
    echo "SKIPPED: no device of $name here (Debian package $package)"
    exit 77
fi
[ -n "$simulator" ] || exec "$@"

# A simulated device also tells of data races, and of reads and writes beyond buffers.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
$simulator --data-races --log "$log" "$@"
status=$?
cat "$log"
[ ! -s "$log" ] || status=1
exit $status
