#!/bin/sh
# QMPClient as ratios to a raw C client (the limit) and to qemu.qmp (the rival), over real QEMU and
# over a monitor that costs nothing, all in one run.
#
#   run.sh [QMP-BENCH]
#
# Builds what it needs, the Swift program too unless its path is given. QMP_BENCH_SCRATCH (default:
# .build/bench-qmp) keeps the builds and qemu.qmp for the next run; nothing else is left behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
package=$(cd "$here/../../.." && pwd)
scratch=${QMP_BENCH_SCRATCH:-$package/.build/bench-qmp}
folder=$(mktemp -d)
# The race ends its own processes; a signal must reach it, and the folder goes after it.
trap 'rm -rf "$folder"' EXIT
trap 'kill "$race" 2>/dev/null; wait "$race" 2>/dev/null || true; exit 130' INT TERM HUP
mkdir -p "$scratch"

if [ $# -gt 0 ]; then
  bench=$1
else
  # As qvm itself is built.
  case $(uname -s) in
  Linux) flags='-Xswiftc -static-executable' ;;
  *) flags=--static-swift-stdlib ;;
  esac
  # shellcheck disable=SC2086
  swift build --package-path "$package" --scratch-path "$scratch/build" -c release \
    --product qmp-bench $flags >"$scratch/build.log" 2>&1 || { cat "$scratch/build.log"; exit 1; }
  bench=$scratch/build/release/qmp-bench
fi

cc=$(command -v clang || command -v cc)
for program in server limit; do "$cc" -O2 "$here/$program.c" -o "$folder/$program"; done

python=$scratch/venv/bin/python
"$python" -c 'import qemu.qmp' 2>/dev/null || {
  rm -rf "$scratch/venv"
  { python3 -m venv "$scratch/venv" && "$python" -m pip install --quiet qemu.qmp; } \
    >"$scratch/pip.log" 2>&1 || true
}
if "$python" -c 'import qemu.qmp' 2>/dev/null; then
  set -- "$python" "$here/rival.py"
else
  set -- - "pip install qemu.qmp: $(tail -n 1 "$scratch/pip.log")"
fi

python3 "$here/compare.py" "$folder" "$bench" "$@" &
race=$!
wait "$race"
