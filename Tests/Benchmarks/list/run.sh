#!/bin/sh
# `qvm list` of many stopped instances as a ratio to a C program that reads one record of each and
# prints a table, both in turn, with the memory that they take; then the first list, which has no
# index of an earlier one to go by. A further argument is another qvm to be compared with, such as one
# of an earlier commit.
#
#   run.sh QVM [OTHER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
export XDG_RUNTIME_DIR="$folder/run" QVM_QEMU=system QVM_ACCEL=tcg
mkdir -m 700 "$folder/run"
trap 'rm -rf "$folder"' EXIT

# As `make install` puts them in place: see lifecycle/run.sh.
install -m 0755 "$1" "$folder/qvm"
[ $# -lt 2 ] || install -m 0755 "$2" "$folder/other"
cc=$(command -v clang || command -v cc)
for program in ratio list/list; do
  "$cc" -O2 -static "$here/../$program.c" -o "$folder/linked" 2>/dev/null ||
    "$cc" -O2 "$here/../$program.c" -o "$folder/linked"
  install -m 0755 "$folder/linked" "$folder/${program##*/}"
done
# A single process, so that its memory is that of the list.
printf '#!/bin/sh\nrm -f "$QVM_CACHE/settled.index"\nexec "%s/qvm" list\n' "$folder" >"$folder/first"
chmod 0755 "$folder/first"

export QVM_CACHE="$folder/seed"
"$folder/qvm" run --detach --name seed demo 1 >/dev/null
"$folder/qvm" wait seed --timeout 30
"$folder/qvm" stop seed 2>/dev/null

for count in 1000 10000; do
  export QVM_CACHE="$folder/$count"
  python3 "$here/copies.py" "$folder/seed/instances/seed" "$QVM_CACHE" "$count"
  listed=$("$folder/qvm" list | grep -c ' stopped (clean) ')
  [ "$listed" -eq "$count" ] || { echo "$listed of $count are listed as they are"; exit 1; }
  runs=$((90000 / count))
  "$folder/ratio" 3 "list of $count, first" "$folder/first" "$folder/list $QVM_CACHE/instances"
  "$folder/ratio" "$runs" "list of $count" "$folder/qvm list" "$folder/list $QVM_CACHE/instances"
  [ $# -lt 2 ] || "$folder/ratio" 9 "... with the other qvm" "$folder/qvm list" "$folder/other list"
done
