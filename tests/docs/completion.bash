#!/bin/bash
# completion.bash COMPLETION TOOL: calls the completion as bash does, and compares what it offers.
set -u
completion=$1 tool=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir bin 'a dir' && touch one.npy stats.npz 'two words.npy' notes.txt old.png old.svg 'a dir/in.npy'
# Every option takes its candidates from what the completion holds; only devices are asked for.
cat >bin/clkl <<'EOF'
#!/bin/sh
[ "$*" = "devices --json" ] && cat "$(dirname "$0")/devices.json"
EOF
chmod +x bin/clkl
cat >bin/devices.json <<'EOF'
{
  "devices": [
    {
      "name": "Fast (TM) 9"
    },
    {
      "name": "slow",
      "platform": "no name"
    }
  ]
}
EOF
# shellcheck source=/dev/null
. "$completion" || exit 1
failures=0

# offers EXPECTED WORD...: EXPECTED are lines, in any order; the last word is the one to complete.
offers()
{
    local expected got
    expected=$(sort <<<"$1")
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    $function "$program" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    got=$(printf '%s\n' "${COMPREPLY[@]}" | sort)
    if [[ $got != "$expected" ]]; then
        printf 'after "%s":\n-- expected\n%s\n-- offered\n%s\n' "$*" "$expected" "$got" >&2
        failures=1
    fi
}

# As `complete` has it; not by its name.
function=$(complete -p clkl | sed -n 's/.*-F \([^ ]*\) clkl$/\1/p')
program=$folder/bin/clkl

# ---- Commands, and what does not depend on one ----
offers $'kl\ngrad\ninspect\ndevices' clkl ''
offers kl clkl k
offers $'--help\n--version' clkl -
offers '' clkl nonsense -
offers '' clkl devices o

# ---- The options of each command are those that its help lists ----
for command in kl grad inspect devices; do
    help=$("$tool" "$command" --help | sed -n 's/^      \(--[a-z0-9-]*\).*/\1/p')
    [[ $(wc -l <<<"$help") -gt 3 ]] || { echo "no help of $command" >&2; failures=1; }
    offers "$help" clkl "$command" -
    offers "$help" clkl "$command" --
done
offers $'--q-std\n--q-stats' clkl kl --q-s
offers $'--std\n--stats\n--split-axis' clkl kl --s
offers $'--stats\n--split-axis' clkl kl --std x.npy --s
offers $'--stats\n--split-axis' clkl kl --std = x.npy --s
offers '' clkl devices --q

# ---- Values ----
for words in '--batch' '--batch ='; do
    # shellcheck disable=SC2086 # several words
    {
        offers $'mean\nsum' clkl kl $words ''
        offers $'sum' clkl kl $words s
    }
done
offers $'mean\nsum' clkl kl one.npy --batch =
offers $'f32\nf64' clkl kl --compute = f
offers $'all\nnone' clkl kl --keep ''
offers none clkl kl --keep = n
offers '' clkl kl --keep 1
offers '' clkl kl --clamp = 1
offers $'--device' clkl kl --batch = sum --dev

offers $'channel\nunit' clkl inspect --per ''
offers '' clkl inspect --threshold = 1
offers $'p\nq\nboth' clkl grad --wrt ''
offers $'f16\nf32\nf64' clkl grad --gradient-type = f
offers '' clkl grad --out g

# ---- Devices: the tool's own list, as one word each ----
offers $'cpu\ngpu\nreference\nFast\\ \\(TM\\)\\ 9\nslow' clkl kl --device ''
offers $'Fast\\ \\(TM\\)\\ 9' clkl devices --device = F
offers $'Fast\\ \\(TM\\)\\ 9' clkl kl --device 'Fast\ \(T'
offers slow clkl kl --device s
program=$folder/bin/absent
offers $'cpu\ngpu\nreference' clkl kl --device ''
program=$tool # whose list of devices is printed as the one above
names=$("$tool" devices --json | grep -c '"index"')
COMP_WORDS=(clkl kl --device '') COMP_CWORD=3
$function "$program"
((${#COMPREPLY[@]} == 3 + names)) || { echo "expected $names names of devices" >&2; failures=1; }

# ---- Files ----
all=$'one.npy\ntwo words.npy\na dir\nbin'
for option in --moments --mean --logvar --logstd --var --std --q-moments --q-mean --q-logvar \
    --q-logstd --q-var --q-std --cov --tril --precision-matrix --q-cov --q-tril --q-precision-matrix \
    --mask --weights --lengths --out; do
    offers "$all" clkl kl "$option" ''
done
offers "$all" clkl kl ''
offers "$all" clkl kl --quiet one.npy ''
offers $'stats.npz\na dir\nbin' clkl kl --stats ''
offers stats.npz clkl kl --q-stats = st
offers 'two words.npy' clkl kl two
offers 'two words.npy' clkl kl --mean = tw
offers 'a dir/in.npy' clkl kl --mean 'a dir/'
offers '' clkl kl notes
offers 'two words.npy' clkl inspect two
offers 'two words.npy' clkl grad --upstream two
offers $'a dir\nbin\n-\nold.png\nold.svg\na dir\nbin' clkl inspect one.npy --plot ''
offers old.png clkl inspect --plot = old.p
exit $failures
