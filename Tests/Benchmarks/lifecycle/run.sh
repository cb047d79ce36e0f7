#!/bin/sh
# The life of a VM under qvm, against C programs that do the least that can be done, and against
# qemu.qmp, in one run.
#
#   run.sh QVM
#
# LIFECYCLE_VMS (default: 100) is how many VMs the last part runs side by side. QMP_BENCH_SCRATCH
# (default: .build/bench-qmp) keeps qemu.qmp for the next run; nothing else is left behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=${QMP_BENCH_SCRATCH:-$here/../../../.build/bench-qmp}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'kill "$race" 2>/dev/null; wait "$race" 2>/dev/null || true; exit 130' INT TERM HUP

# All of them as `make install` puts a program in place: a file that was copied lies in larger pieces
# in the page cache than one that a linker wrote bit by bit, and starts up to a quarter faster.
qvm=$folder/qvm
install -m 0755 "$1" "$qvm"
cc=$(command -v clang || command -v cc)
for program in lifecycle/boot lifecycle/relay ratio status; do
  "$cc" -O2 -static "$here/../$program.c" -o "$folder/linked" 2>/dev/null ||
    "$cc" -O2 "$here/../$program.c" -o "$folder/linked"
  install -m 0755 "$folder/linked" "$folder/${program##*/}"
done

mkdir -p "$scratch"
python=$scratch/venv/bin/python
"$python" -c 'import qemu.qmp' 2>/dev/null || {
  rm -rf "$scratch/venv"
  { python3 -m venv "$scratch/venv" && "$python" -m pip install --quiet qemu.qmp; } \
    >"$scratch/pip.log" 2>&1 || true
}
"$python" -c 'import qemu.qmp' 2>/dev/null || python=-

python3 "$here/lifecycle.py" "$folder" "$qvm" "$python" &
race=$!
wait "$race"
