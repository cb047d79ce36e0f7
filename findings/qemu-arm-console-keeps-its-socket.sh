#!/bin/sh
# QEMU 7.2.22 (Debian 12): the QMP command `chardev-change` gives a running VM another socket for its
# serial console on the machine q35, and refuses the same on the machine virt of arm64, whose serial
# port is a pl011. It refuses it for a QMP monitor on both, with the same words.
#
# Seen: q35, console: {"return": {}}, the new socket is there and the file of the old one is gone.
#       virt, console, and the monitor of both: "Chardev user does not support chardev hotswap"; the
#       old socket stays.
#
# So a console whose socket file was removed can be reached again on one machine and not on the other.
#
# Prints what it sees and ends with 0 as long as that is so. Needs Debian 12 with apt, python3 and
# some 400 MB; nothing is installed: the packages are unpacked into a folder that goes at the end.
set -eu

version='1:7.2+dfsg-7+deb12u18+b3'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
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
apt install --yes --download-only --no-install-recommends "qemu-system-x86=$version" \
  "qemu-system-arm=$version"
for package in "$folder"/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
libraries=$libraries:$folder/root/lib/x86_64-linux-gnu:$libraries/pulseaudio
loader=$(find "$folder/root" -name 'ld-linux-x86-64.so.2' | head -n 1)
export QEMU_MODULE_DIR="$folder/root/usr/lib/x86_64-linux-gnu/qemu"

cat >"$folder/ask.py" <<'PYTHON'
import json, os, socket, subprocess, sys

machine, folder, command = sys.argv[1], sys.argv[2], sys.argv[3:]
os.mkdir(folder)
ours, theirs = socket.socketpair()
qemu = subprocess.Popen(
    command + [
        "-machine", machine, "-display", "none", "-nodefaults", "-S",
        "-chardev", f"socket,id=own,fd={theirs.fileno()}", "-mon", "chardev=own,mode=control",
        "-chardev", f"socket,id=monitor,path={folder}/monitor,server=on,wait=off",
        "-mon", "chardev=monitor,mode=control",
        "-chardev", f"socket,id=console,path={folder}/console,server=on,wait=off",
        "-serial", "chardev:console"],
    pass_fds=[theirs.fileno()])
theirs.close()
lines = ours.makefile("rw")
lines.readline()


def ask(name, **arguments):
    lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    lines.flush()
    while True:
        answer = json.loads(lines.readline())
        if "event" not in answer:
            return answer


ask("qmp_capabilities")
for name in ("console", "monitor"):
    address = {"type": "unix", "data": {"path": f"{folder}/new-{name}"}}
    backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
    answer = ask("chardev-change", id=name, backend=backend)
    word = answer["error"]["desc"] if "error" in answer else "changed"
    print(f"{machine}, {name}: {word}")
print(f"{machine}, sockets: {' '.join(sorted(os.listdir(folder)))}")
ask("quit")
qemu.wait(20)
PYTHON

run() {
  machine=$1 program=$2
  python3 "$folder/ask.py" "$machine" "$folder/$machine" \
    "$loader" --library-path "$libraries" "$folder/root/usr/bin/$program" \
    -L "$folder/root/usr/share/qemu" -L "$folder/root/usr/share/seabios"
}
seen=$(
  run q35 qemu-system-x86_64
  run virt qemu-system-aarch64
)
echo "$seen"
expected='q35, console: changed
q35, monitor: Chardev user does not support chardev hotswap
q35, sockets: monitor new-console
virt, console: Chardev user does not support chardev hotswap
virt, monitor: Chardev user does not support chardev hotswap
virt, sockets: console monitor'
[ "$seen" = "$expected" ] || { echo "changed"; exit 1; }
