#!/bin/sh
# Unpacks the QEMU of a Debian suite into a folder of its own; nothing is installed.
#
#   Fixtures/QMP/fetch-qemu.sh SUITE DIR     then: DIR/bin/qemu-system-x86_64, -aarch64, qemu-img
#
# SUITE is bookworm-backports (QEMU 10.0), sid (the newest) or another one. For recording the
# transcripts of a QEMU that this machine doesn't have, see Fixtures/README.md, and for trying qvm
# with it: PATH=DIR/bin:$PATH QVM_QEMU=system qvm … . The mirror is the one that the machine's own apt
# sources name. Run again, it does nothing where DIR is complete.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: $0 SUITE DIR" >&2
  exit 64
fi
suite=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
programs="qemu-system-x86_64 qemu-system-aarch64 qemu-img"
complete=yes
for program in $programs; do [ -x "$dir/bin/$program" ] || complete=no; done
if [ $complete = yes ]; then exit 0; fi

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

# A state of apt's own, in which nothing is installed: so QEMU comes with all that it needs, the C
# library included, and runs whatever this machine has.
apt=$dir/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: > "$apt/status"
{
  echo "deb $mirror $suite main"
  # What backports don't have is the release's own.
  case $suite in *-backports) echo "deb $mirror ${suite%-backports} main" ;; esac
} > "$apt/sources.list"
run_apt() {
  apt-get -q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" \
    -o Dir::Cache="$apt" -o Dir::Cache::Archives="$apt/archives" \
    -o APT::Sandbox::User=root -o Debug::NoLocking=true "$@"
}
run_apt update

run_apt install --yes --download-only --no-install-recommends -t "$suite" \
  qemu-system-x86 qemu-system-arm qemu-utils seabios ipxe-qemu ovmf qemu-efi-aarch64
mkdir -p "$dir/root"
# A merged /usr, as every Debian since 12 has: some packages still unpack into /lib.
mkdir -p "$dir/root/usr/lib" "$dir/root/usr/lib64" "$dir/root/usr/bin" "$dir/root/usr/sbin"
for folder in lib lib64 bin sbin; do ln -sfn "usr/$folder" "$dir/root/$folder"; done
for archive in "$apt"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$archive" |
    tar -x --keep-directory-symlink --no-same-owner -C "$dir/root"
done

root=$dir/root
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null ||
  gcc -print-multiarch 2>/dev/null || echo "$(uname -m)-linux-gnu")
loader=$(find "$root/usr/lib64" "$root/usr/lib" -maxdepth 2 -name 'ld-linux-*.so.*' | head -1)
mkdir -p "$dir/bin"
for program in $programs; do
  data=
  if [ "$program" != qemu-img ]; then
    data="-L $root/usr/share/qemu -L $root/usr/share/seabios -L $root/usr/lib/ipxe/qemu"
    data="$data -L $root/usr/share/ovmf -L $root/usr/share/qemu-efi-aarch64"
  fi
  cat > "$dir/bin/$program.new" <<END
#!/bin/sh
# The unpacked program with its own C library, libraries, modules and firmware.
export QEMU_MODULE_DIR="$root/usr/lib/$triplet/qemu"
exec "$loader" --argv0 "\$0" --library-path "$root/usr/lib/$triplet:$root/usr/lib" \\
  "$root/usr/bin/$program" $data "\$@"
END
  chmod +x "$dir/bin/$program.new"
  "$dir/bin/$program.new" --version
  mv "$dir/bin/$program.new" "$dir/bin/$program"
done
rm -rf "$apt"
