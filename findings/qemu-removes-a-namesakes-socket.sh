#!/bin/sh
# QEMU 7.2.22 (Debian 12), when it ends in an orderly way, removes whatever has by then the paths that
# it was given for its monitor's socket and its pid file. Two QEMUs meet there when the folder of the
# first was renamed while it ran, and the second was started with the same paths: the end of the first
# takes the socket and the pid file of the second, which runs on, cannot be reached by name any more,
# and holds a lock on a pid file that has no name. That the pid file is locked doesn't guard it.
#
# Seen: after the first one's end the folder of the second is empty, the first one's own files stay
# where they were moved to, and the second's monitor still listens (its socket is in /proc/net/unix).
# Not so: that QEMU looks whether the file is its own, by inode or by the lock.
#
# Prints what it sees and ends with 0 as long as that is so. Needs Debian 12 with apt, python3 and
# some 200 MB; nothing is installed: the packages are unpacked into a folder that goes at the end.
set -eu

version='1:7.2+dfsg-7+deb12u18+b3'
folder=$(mktemp -d)
first= second=
finish() {
  for process in $first $second; do kill -9 "$process" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

# A state of apt's own in which nothing is installed, so that QEMU comes with all its libraries.
mkdir -p "$folder/state/lists/partial" "$folder/archives/partial" "$folder/root"
: >"$folder/status"
apt() {
  apt-get -qq -o Dir::State="$folder/state" -o Dir::State::status="$folder/status" \
    -o Dir::Cache::Archives="$folder/archives" -o APT::Sandbox::User=root \
    -o Debug::NoLocking=true "$@" >/dev/null
}
apt update
apt install --yes --download-only --no-install-recommends "qemu-system-x86=$version"
for package in "$folder"/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
libraries=$libraries:$folder/root/lib/x86_64-linux-gnu:$libraries/pulseaudio
loader=$(find "$folder/root" -name 'ld-linux-x86-64.so.2' | head -n 1)
export QEMU_MODULE_DIR="$folder/root/usr/lib/x86_64-linux-gnu/qemu"

begin() { # starts a QEMU with the same two paths, and waits until it has both
  "$loader" --library-path "$libraries" "$folder/root/usr/bin/qemu-system-x86_64" \
    -machine none -display none -nodefaults -pidfile "$folder/vm/pid" \
    -chardev "socket,id=m,path=$folder/vm/monitor,server=on,wait=off" \
    -mon chardev=m,mode=control 2>"$folder/log" &
  started=$!
  for _ in $(seq 100); do
    if [ -S "$folder/vm/monitor" ] && [ -s "$folder/vm/pid" ]; then return; fi
    sleep 0.1
  done
  cat "$folder/log" >&2
  echo "QEMU did not start" >&2
  exit 1
}

mkdir "$folder/vm"
begin
first=$started
mv "$folder/vm" "$folder/moved"
mkdir "$folder/vm"
begin
second=$started

kill -TERM "$first"
wait "$first" || true
first=
echo "the second one's folder: $(ls "$folder/vm" | tr '\n' ' ')"
echo "the first one's, moved: $(ls "$folder/moved" | tr '\n' ' ')"
kill -0 "$second" && echo "the second one runs"
grep -c "$folder/vm/monitor" /proc/net/unix | sed 's/^/sockets by that name that still listen: /'

[ -z "$(ls "$folder/vm")" ] || { echo "changed: it leaves its namesake's files"; exit 1; }
[ "$(ls "$folder/moved" | tr '\n' ' ')" = 'monitor pid ' ] || { echo "changed: it finds its own"; exit 1; }
grep -q "$folder/vm/monitor" /proc/net/unix || { echo "changed: the second one has gone"; exit 1; }
