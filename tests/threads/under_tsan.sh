#!/bin/sh
# under_tsan.sh [--expect FUNCTION] PROGRAM...: runs PROGRAM with ThreadSanitizer's findings as
# failures. With --expect it must find a data race with that name in its stack, in one run of five: the
# implementation's own locks can hide one. Exits 77 where ThreadSanitizer itself cannot run.
expected= halt=0 runs=1
if [ "$1" = --expect ]; then
    expected=$2 halt=1 runs=5
    shift 2
fi
folder=$(dirname "$0")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
options="suppressions=$folder/tsan.supp exitcode=66 halt_on_error=$halt"
# In rusticl locks are taken where ThreadSanitizer looks and returned where it does not: it runs out of
# room for them.
[ -z "${RUSTICL_ENABLE-}" ] || options="$options detect_deadlocks=0"
export TSAN_OPTIONS="$options"

run() {
    "$@" >"$log" 2>&1
    status=$?
    cat "$log"
    if grep -q 'unexpected memory mapping' "$log"; then
        echo "SKIPPED: ThreadSanitizer cannot run with the address space of this kernel"
        exit 77
    fi
}

while [ "$runs" -gt 0 ]; do
    run "$@"
    [ -n "$expected" ] || exit "$status"
    [ "$status" -eq 66 ] && grep -q 'ThreadSanitizer: data race' "$log" &&
        grep -q "$expected" "$log" && exit 0
    runs=$((runs - 1))
done
exit 1
