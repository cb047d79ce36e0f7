#!/bin/sh
# Unpacks QEMU 10 from bookworm-backports into a folder of its own; nothing is installed.
#
#   Fixtures/QMP/fetch-qemu10.sh DIR     then: DIR/bin/qemu-system-x86_64
#
# For recording the transcripts of QEMU 10 on Debian 12, see Fixtures/README.md. The mirror is the
# one that the machine's own apt sources name. Run again, it does nothing where DIR is complete.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: $0 DIR" >&2
  exit 64
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ -x "$dir/bin/qemu-system-x86_64" ]; then exit 0; fi

# The first Debian mirror of the sources, in either of the two notations.
sources="/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources"
# shellcheck disable=SC2086
mirror=$(cat $sources 2>/dev/null | awk '
  $1 == "URIs:" && $2 ~ /debian\/?$/ { print $2; exit }
  $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\/.*debian\/?$/) { print $i; exit } }')
if [ -z "$mirror" ]; then
  echo "$0: no Debian mirror in the apt sources" >&2
  exit 1
fi

# A state of apt's own, so that the machine's package lists stay as they are.
apt=$dir/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
{
  echo "deb $mirror bookworm main"
  echo "deb $mirror bookworm-backports main"
} > "$apt/sources.list"
run_apt() {
  apt-get -q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" \
    -o Dir::Cache::Archives="$apt/archives" -o APT::Sandbox::User=root \
    -o Debug::NoLocking=true "$@"
}
run_apt update

# What an installation would add or replace: QEMU itself, and the libraries that it needs newer.
packages=$(run_apt install --simulate --no-install-recommends -t bookworm-backports \
  qemu-system-x86 qemu-system-common qemu-system-data seabios ipxe-qemu |
  awk '$1 == "Inst" { print $2 }')
(
  cd "$apt/archives"
  for package in $packages; do
    run_apt download -t bookworm-backports "$package"
  done
  for archive in ./*.deb; do dpkg-deb -x "$archive" "$dir/root"; done
)

libraries=$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null ||
  gcc -print-multiarch 2>/dev/null || echo "$(uname -m)-linux-gnu")
mkdir -p "$dir/bin"
cat > "$dir/bin/qemu-system-x86_64.new" <<EOF
#!/bin/sh
# The unpacked QEMU with its own libraries, modules and firmware.
export LD_LIBRARY_PATH="$libraries"
export QEMU_MODULE_DIR="$libraries/qemu"
exec "$dir/root/usr/bin/qemu-system-x86_64" \\
  -L "$dir/root/usr/share/qemu" -L "$dir/root/usr/share/seabios" \\
  -L "$dir/root/usr/lib/ipxe/qemu" "\$@"
EOF
chmod +x "$dir/bin/qemu-system-x86_64.new"
"$dir/bin/qemu-system-x86_64.new" --version
mv "$dir/bin/qemu-system-x86_64.new" "$dir/bin/qemu-system-x86_64"
rm -rf "$apt"
