#!/bin/sh
# Prints the figures that docs/testing.md tells of. Nothing is asserted: what is slow on one machine is not on another.
#
#   RUNS      how often the suite is run in each runtime, 5 unless set; the median counts
#   REQUESTS  how many requests one tenant of the gateway gets for the memory figure, 1000000 unless set
#
# Needs bin/planeproof (make bench builds it) and Go.
set -eu
cd "$(dirname "$0")/.."
RUNS=${RUNS:-5}
REQUESTS=${REQUESTS:-1000000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trap 'exit 130' INT TERM

# suite RUNTIME prints the median of the duration that the runs themselves tell, after one run that counts for nothing.
suite() {
	bin/planeproof run --runtime "$1" >"$out/run" 2>&1 || true
	: >"$out/seconds"
	refused=0
	i=0
	while [ "$i" -lt "$RUNS" ]; do
		bin/planeproof run --runtime "$1" >"$out/run" 2>&1 || refused=$((refused + 1))
		awk '$1 == "duration" {
			rest = $2; sub(/,$/, "", rest); sum = 0
			while (match(rest, /^[0-9.]+(ms|h|m|s)/)) {
				part = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1); unit = part; gsub(/[0-9.]/, "", unit)
				sum += part * (unit == "h" ? 3600 : unit == "m" ? 60 : unit == "ms" ? 0.001 : 1)
			}
			print sum
		}' "$out/run" >>"$out/seconds"
		i=$((i + 1))
	done
	runs=$(awk 'END { print NR }' "$out/seconds")
	if [ "$runs" -eq 0 ]; then
		echo "suite, $1: no run told its duration; the last one said:"
		sed 's/^/  /' "$out/run"
		return
	fi
	sort -n "$out/seconds" | awk -v runtime="$1" -v runs="$runs" -v refused="$refused" '
		{ all[NR] = $1 }
		END { printf "suite, %s, warm: %.2f s (median of %d, from %.2f to %.2f s), %d did not pass\n", runtime, all[int((NR + 1) / 2)], runs, all[1], all[NR], refused }'
}

# figures PACKAGE BENCHMARK BENCHTIME prints what a Go benchmark reports.
figures() {
	go test -run '^$' -bench "^$2\$" -benchtime "$3" "$1" >"$out/bench" 2>&1 || { cat "$out/bench"; return; }
	awk -v name="$2" '$1 ~ "^Benchmark" { printf "%s:", name; for (i = 3; i < NF; i += 2) if ($(i + 1) != "ns/op") printf "  %s %s", $i, $(i + 1); print "" }' "$out/bench"
}

suite process
if command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1; then
	suite docker
else
	echo "suite, docker: no engine answers"
fi
figures ./fakes/gateway BenchmarkThroughput 10s
echo "after $REQUESTS requests to one tenant of the gateway:"
figures ./fakes/gateway BenchmarkMemory "${REQUESTS}x"
figures ./remedy/inventory BenchmarkInventory 1x
figures ./remedy/fix BenchmarkPlanOfAnAudit 1x
