#!/bin/sh
# `qvm cp` into the Linux guest as a ratio to tar and ssh by hand with the same ciphers, both in turn: many
# small files, and a big one. Then what comes back of a volume in which ten of the files were changed, as a
# ratio to copying all of them out.
#
#   run.sh QVM GUESTS [FILES [MEGABYTES [ROUNDS]]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
export QVM_CACHE="$folder/cache" XDG_RUNTIME_DIR="$folder/run" QVM_QEMU=system QVM_ACCEL="${QVM_ACCEL:-tcg}" \
  QVM_SSH_ADDRESS=127.0.0.1
mkdir -m 700 "$folder/run"
trap '"$qvm" stop --force bench >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

# As `make install` puts them in place: see lifecycle/run.sh.
qvm=$folder/qvm
install -m 0755 "$1" "$qvm"
images=$QVM_CACHE/images/v0.0.0
mkdir -p -m 700 "$QVM_CACHE" "$QVM_CACHE/images" "$images"
qemu-img convert -O qcow2 "$2/linux.img" "$images/freebsd-14.2-x86-64.qcow2"
chmod 0444 "$images"/*.qcow2

"$qvm" run -qd --name bench --memory 2G --platform x86-64 freebsd 14.2 >/dev/null
"$qvm" wait bench --timeout 300 2>/dev/null
python3 "$here/copy.py" "$qvm" "$folder" "${3:-10000}" "${4:-200}" "${5:-3}"
