#!/bin/sh
# Builds the test guests as raw disk images: build.sh OUTDIR
#
# Needs the clang, ld.lld and lld-link of the Swift toolchain, found next to `swift` on the PATH or
# in the folder that SWIFT_BIN names. Does nothing where OUTDIR is up to date. Can run several times
# at once: an image appears under its name only when it is complete.
set -eu
unset CDPATH  # it would make `cd` print

bios_guests='demo deaf late rebooting crashing panicking slow exiting restarting writing'
mebibyte=1048576

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

# extend IMAGE MEBIBYTES: makes the image so large without using room for it.
extend() {
  dd if=/dev/null of="$1" bs="$mebibyte" seek="$2" 2>/dev/null
}

# uefi_disk TARGET NAME PROGRAM: a disk that starts uefi.c, compiled for TARGET, under the name that
# its firmware looks for.
uefi_disk() {
  mkdir "$work/$2"
  "$bin/clang" --target="$1" -std=c17 -Os -Wall -Wextra -Werror -ffreestanding \
    -fno-stack-protector -c uefi.c -o "$work/$2/uefi.obj"
  "$bin/lld-link" -subsystem:efi_application -entry:efi_main -nodefaultlib -Brepro \
    -out:"$work/$2/program.efi" "$work/$2/uefi.obj"
  flat uefi-disk.S 0 "$work/$2.img" -I "$work/$2" -DPROGRAM="\"$3\""
}

[ $# -eq 1 ] || fail 'usage: build.sh OUTDIR'
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
. ./toolchain.sh
find_toolchain clang ld.lld lld-link

# What the images are made from, and whether it is what those in OUTDIR were made from.
made_from=$(echo "$bin" | cat - build.sh toolchain.sh bios.S uefi.c efi.h uefi-disk.S | cksum)
up_to_date() {
  [ "$(cat "$out/.made-from" 2>/dev/null)" = "$made_from" ] || return 1
  for name in $bios_guests uefi-x86-64 uefi-arm64; do
    [ -f "$out/$name.img" ] || return 1
  done
}
if up_to_date; then exit 0; fi

work=$(mktemp -d "$out/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for guest in $bios_guests; do
  flat bios.S 0x7c00 "$work/$guest.img" "-DVARIANT_$guest"
  extend "$work/$guest.img" 1
done
extend "$work/writing.img" 64
uefi_disk x86_64-unknown-windows uefi-x86-64 'BOOTX64 EFI'
uefi_disk aarch64-unknown-windows uefi-arm64 'BOOTAA64EFI'

echo "$made_from" >"$work/.made-from"
chmod a-x "$work"/*.img
mv "$work"/*.img "$out/"
mv "$work/.made-from" "$out/"
