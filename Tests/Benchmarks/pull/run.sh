#!/bin/sh
# `qvm pull` of a 2 GB image as a ratio to bare curl and sha256sum, from a local nginx, and what a
# warm `qvm run` adds to qemu-img and QEMU; all in one run.
#
#   run.sh QVM [GIGABYTES]
#
# Needs three times the image in TMPDIR; nothing is left behind. Without an nginx, Debian's is
# unpacked into the temporary folder: it is never installed, and runs as an ordinary process.
set -eu
qvm=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The race ends its own processes; a signal must reach it, and the folder goes after it.
trap 'kill "$race" 2>/dev/null; wait "$race" 2>/dev/null || true; exit 130' INT TERM HUP

nginx=$(command -v nginx || true)
if [ -z "$nginx" ] && command -v apt-get >/dev/null; then
  mkdir "$folder/nginx"
  if (cd "$folder/nginx" && apt-get download -qq nginx && dpkg -x nginx_*.deb .) >"$folder/log" 2>&1
  then nginx=$folder/nginx/usr/sbin/nginx
  else cat "$folder/log"; fi
fi
if [ -z "$nginx" ]; then
  echo "no nginx: install it to compare downloads"
  exit 0
fi

python3 "$here/compare.py" "$folder" "$qvm" "$nginx" "${2:-2}" &
race=$!
wait "$race" || echo "the comparison ended early"
