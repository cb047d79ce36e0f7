#!/bin/sh
# Builds the Linux guest as raw disk images, out of Debian's packages: build.sh OUTDIR
#
# Runs on an x86-64 Debian. Needs clang, ld.lld, lld-link and llvm-objcopy of the Swift toolchain, found
# next to `swift` on the PATH or in the folder that SWIFT_BIN names. Downloads once, into OUTDIR/debs. Does
# nothing where OUTDIR is up to date. Can run several times at once: one builds, the others wait, and an
# image appears under its name only when it is complete.
set -eu
unset CDPATH  # it would make `cd` print
umask 022
export LC_ALL=C

packages='busybox-static dropbear-bin lz4 mtools syslinux xz-utils'
# In the order of loading: each after those it depends on.
modules='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci
  failover net_failover virtio_net e1000 button evdev
  crct10dif_common crc-t10dif crc64 crc64-rocksoft t10-pi scsi_common scsi_mod sd_mod virtio_scsi
  virtio_blk fat vfat nls_cp437 nls_ascii'
image_sectors=53248

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

# download FOLDER: fills it with the packages, those they depend on, and the kernel.
download() (
  cd "$1"
  kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9]\)/\1/p')
  [ "$kernel" ] || fail "the package lists have no linux-image-amd64; run 'apt-get update'"
  # shellcheck disable=SC2086 # lists of names
  all=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances $packages | grep '^[a-z]')
  # shellcheck disable=SC2086
  apt-get -qq -o APT::Sandbox::User=root download $kernel $all
)

# unpack: the packages into $debian, the kernel with its modules into $work/kernel.
unpack() {
  # Older packages have files in /bin, newer ones in /usr/bin; an installed Debian has both in one.
  for folder in bin lib lib64 sbin; do
    mkdir -p "$debian/usr/$folder"
    ln -s "usr/$folder" "$debian/$folder"
  done
  for package in "$out"/debs/*.deb; do
    case ${package##*/} in
      linux-image-*) unpack_kernel "$package" ;;
      *) dpkg-deb --fsys-tarfile "$package" | tar -x -C "$debian" --keep-directory-symlink ;;
    esac
  done
}

# unpack_kernel PACKAGE: no more of it than the guest has a use for.
unpack_kernel() {
  names=
  for module in $modules; do
    names="$names */$module.ko*"
  done
  mkdir "$work/kernel"
  set -f  # the names are patterns for tar
  # shellcheck disable=SC2086
  dpkg-deb --fsys-tarfile "$1" |
    tar -x -C "$work/kernel" --wildcards './boot/vmlinuz-*' $names ||
    fail "${1##*/} lacks a module"
  set +f
}

# number FILE OFFSET: the four bytes at OFFSET as a number.
number() {
  od -An -td4 -j "$2" -N 4 "$1" | tr -d ' '
}

# put FILE OFFSET NUMBER: writes NUMBER there, in four bytes.
put() {
  # shellcheck disable=SC2059 # the format is the octal bytes
  printf "$(printf '\\%03o' $(($3 & 255)) $(($3 >> 8 & 255)) $(($3 >> 16 & 255)) $(($3 >> 24 & 255)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# repack_kernel OUTPUT: Debian's kernel, which unpacks itself in a third of the time.
#
# The offsets are those of the setup header, in Linux' Documentation/x86/boot.rst.
repack_kernel() {
  packed=$(find "$work/kernel/boot" -name 'vmlinuz-*')
  setup=$(($(od -An -tu1 -j 497 -N 1 "$packed") * 512 + 512))
  # After the xz stream come four bytes with the unpacked size.
  tail -c +$((setup + $(number "$packed" 584) + 1)) "$packed" |
    head -c $(($(number "$packed" 588) - 4)) | on_debian "$tools/xz" -dc >"$work/vmlinux"
  [ -s "$work/vmlinux" ] || fail "${packed##*/} isn't packed with xz"
  "$bin/llvm-objcopy" -O binary "$work/vmlinux" "$work/vmlinux.flat"
  on_debian "$tools/lz4" -l -9 -q "$work/vmlinux.flat" "$work/vmlinux.lz4"
  flat unpack.c 0x100000 "$work/unpacking" -std=c17 -O2 -ffreestanding -fno-pic \
    -fno-stack-protector -mgeneral-regs-only -Wextra "-DPACKED=\"$work/vmlinux.lz4\""
  size=$(stat -c %s "$work/unpacking")
  [ "$size" -lt 15728640 ] || fail "the packed kernel reaches into the memory that it is unpacked to"
  head -c "$setup" "$packed" >"$1"
  put "$1" 500 $(((size + 15) / 16))
  put "$1" 564 0  # may not be loaded elsewhere
  cat "$work/unpacking" >>"$1"
}

# modules_into FOLDER: copies the modules there, with names that sort in the order of loading.
modules_into() {
  loaded=' '
  number=10
  for module in $modules; do
    file=$(find "$work/kernel" -name "$module.ko*")
    copy=$1/$number-$module.ko
    case $file in
      *.xz) "$busybox" xzcat "$file" ;;
      *) cat "$file" ;;
    esac >"$copy"
    for needed in $(tr '\0' '\n' <"$copy" | sed -n 's/^depends=//p' | tr ',-' ' _'); do
      case $loaded in
        *" $needed "*) ;;
        *) fail "$module depends on $needed, which isn't loaded before it" ;;
      esac
    done
    loaded="$loaded$(echo "$module" | tr - _) "
    number=$((number + 1))
  done
}

# on_debian OPTION|PROGRAM ARGUMENT…: has the packages' loader run a program with their libraries.
on_debian() {
  "$loader" --library-path "$debian/lib/x86_64-linux-gnu" "$@"
}

# root_into FOLDER: makes the guest's root file system.
root_into() {
  mkdir "$1"
  cp -R root/. "$1"
  chmod -R u=rwX,go=rX "$1"
  (
    cd "$1"
    mkdir -p dev etc/dropbear home/runner lib/modules proc root run sys tmp usr var/log
    chmod 1777 tmp
    ln -s bin sbin
    ln -s lib lib64
    ln -s ../bin usr/bin
    ln -s ../bin usr/sbin
    ln -s ../run var/run
    ln -s bin/init init
    ln -s sudo bin/doas
    cp "$busybox" "$debian/sbin/dropbear" bin
    chmod u+s bin/busybox  # for su; it gives the right up for all else
    for applet in $(bin/busybox --list); do
      [ -e "bin/$applet" ] || ln -s busybox "bin/$applet"
    done
    cp "$loader" lib
    on_debian --list bin/dropbear | sed -n 's/.* => \(.*\) (.*/\1/p' | xargs -d '\n' cp -t lib
    on_debian "$tools/dropbearkey" -t ed25519 \
      -f etc/dropbear/dropbear_ed25519_host_key >/dev/null 2>&1
  )
  modules_into "$1/lib/modules"
}

# pack FOLDER: writes it to standard output as an initramfs, all of whose files belong to root.
pack() (
  cd "$1"
  find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null
)

# image NAME OPTION…: a disk that boots the kernel with these options.
image() {
  file=$work/$1.img
  shift
  sed "s/^  APPEND .*/& $*/" syslinux.cfg >"$work/syslinux.cfg"
  "$tools/mformat" -C -i "$file" -T "$image_sectors" -h 255 -s 63 ::
  "$tools/mcopy" -i "$file" "$work/vmlinuz" "$work/initrd" "$work/syslinux.cfg" ::
  PATH=$tools:$PATH "$tools/syslinux" --install "$file"
}

# start_by_uefi NAME OPTION…: makes UEFI start the kernel of a disk with these options, in place of BIOS.
start_by_uefi() {
  disk=$work/$1.img
  shift
  options="$(sed -n 's/^  APPEND //p' syslinux.cfg) $*"
  "$bin/clang" --target=x86_64-unknown-windows -std=c17 -Os -Wall -Wextra -Werror -ffreestanding \
    -fno-stack-protector "-DOPTIONS=u\"$options\"" -c uefi-start.c -o "$work/uefi-start.obj"
  "$bin/lld-link" -subsystem:efi_application -entry:efi_main -nodefaultlib -Brepro \
    -out:"$work/BOOTX64.EFI" "$work/uefi-start.obj"
  "$tools/mdel" -i "$disk" ::vmlinuz
  "$tools/mcopy" -i "$disk" "$work"/kernel/boot/vmlinuz-* ::linux.efi
  "$tools/mmd" -i "$disk" ::EFI ::EFI/BOOT
  "$tools/mcopy" -i "$disk" "$work/BOOTX64.EFI" ::EFI/BOOT
}

[ $# -eq 1 ] || fail 'usage: build.sh OUTDIR'
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
. ../toolchain.sh
find_toolchain clang ld.lld lld-link llvm-objcopy

# What the images are made from, and whether it is what those in OUTDIR were made from.
made_from=$(find build.sh ../toolchain.sh unpack.c uefi-start.c syslinux.cfg root -type f \
  -exec cksum {} + | sort | cksum)
up_to_date() {
  [ "$(cat "$out/.linux-made-from" 2>/dev/null)" = "$made_from" ] || return 1
  for name in debs linux.img linux-deaf.img linux-keys-freebsd.img linux-keys-netbsd.img \
    linux-keys-openbsd.img; do
    [ -e "$out/$name" ] || return 1
  done
}
if up_to_date; then exit 0; fi
exec 9>"$out/.linux-lock"
flock 9
if up_to_date; then exit 0; fi

rm -rf "$out"/.linux-build.*  # of one that was killed
work=$(mktemp -d "$out/.linux-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

debian=$work/debian
busybox=$debian/bin/busybox
tools=$debian/bin
loader=$debian/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2

if [ "$(cat "$out/debs/packages" 2>/dev/null)" != "$packages" ]; then
  mkdir "$work/debs"
  download "$work/debs"
  echo "$packages" >"$work/debs/packages"
  rm -rf "$out/debs"
  mv "$work/debs" "$out/debs"
fi
unpack
repack_kernel "$work/vmlinuz"
root_into "$work/root"
pack "$work/root" >"$work/initrd"
image linux
image linux-deaf deaf
for system in freebsd netbsd openbsd; do
  image "linux-keys-$system" "keys=$system"
done
start_by_uefi linux-keys-openbsd keys=openbsd

echo "$made_from" >"$work/.linux-made-from"
mv "$work"/*.img "$out/"
mv "$work/.linux-made-from" "$out/"
