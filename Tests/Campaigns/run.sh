#!/bin/sh
# Disturbs `qvm pull`, `run` and `rm` by kills at random moments, and by a fault at every system call
# of theirs, and looks at what is left each time. Minutes of work, and nothing is left behind.
#
#   run.sh QVM GUEST [ROUNDS [SEED]]
#
# GUEST is a raw disk that boots. ROUNDS (default: 500) is how many kills there are; the same SEED
# gives the same commands and victims.
set -eu
qvm=$(realpath "$1")
guest=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
status=0
python3 -B "$here/kills.py" "$qvm" "$guest" "$@" || status=1
if command -v strace >/dev/null; then
  python3 -B "$here/faults.py" "$qvm" "$guest" || status=1
else
  echo "no strace: install it to let system calls fail"
fi
exit $status
