#!/bin/sh
# Start-up times of qvm as whole processes, as ratios to static C programs in the same run.
#
#   startup.sh QVM
set -eu
here=$(dirname "$0")
folder=$(mktemp -d)
export QVM_CACHE="$folder/cache" XDG_RUNTIME_DIR="$folder/run" QVM_QEMU=system QVM_ACCEL=tcg
mkdir -m 700 "$folder/run"
trap '"$qvm" stop --force bench >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

# As `make install` puts them in place: see lifecycle/run.sh.
qvm=$folder/qvm
install -m 0755 "$1" "$qvm"
cc=$(command -v clang || command -v cc)
for program in ratio hello status; do
  "$cc" -O2 -static "$here/$program.c" -o "$folder/linked" 2>/dev/null ||
    "$cc" -O2 "$here/$program.c" -o "$folder/linked"
  install -m 0755 "$folder/linked" "$folder/$program"
done

"$qvm" run --rm --detach --name bench demo 1 >/dev/null
"$qvm" wait bench --timeout 30
control=$(echo "$QVM_CACHE"/instances/bench/control.sock)

"$folder/ratio" 200 'qvm --version' "$qvm --version" "$folder/hello"
"$folder/ratio" 200 'qvm status' "$qvm status bench" "$folder/status $control"
"$folder/ratio" 200 'qvm list (1 running)' "$qvm list" "$folder/status $control"
