#!/bin/sh
# Writes the demo guest as Swift source, which is how qvm carries it: embed.sh [FILE]
#
# FILE defaults to the one in qvm's sources. Run this after a change to bios.S; the same guest gives
# the same file, byte for byte.
set -eu
unset CDPATH  # it would make `cd` print

here=$(cd "$(dirname "$0")" && pwd)
file=${1:-$here/../../Sources/QVMControl/Images/DemoGuestImage.swift}

images=$(mktemp -d)
trap 'rm -rf "$images"' EXIT
trap 'exit 1' HUP INT TERM
"$here/build.sh" "$images"

{
  cat <<'SWIFT'
// Written by Fixtures/Guests/embed.sh from Fixtures/Guests/bios.S: change that and run it again.

/// The built-in demo guest: a boot sector that greets on the serial console, echoes what is typed,
/// and powers off when its power button is pressed.
package enum DemoGuestImage {
  /// The size of the guest's disk in bytes: `bytes`, then zeros.
  package static let diskSize = 1_048_576

  // swift-format-ignore
  /// What the disk begins with: one sector, as a BIOS boots it.
  package static let bytes: [UInt8] = [
SWIFT
  # One sector, 16 bytes a line: " fa c7 …" becomes "    0xfa, 0xc7, …,".
  dd if="$images/demo.img" bs=512 count=1 2>/dev/null | od -An -v -tx1 |
    sed -e 's/[[:space:]]*$//' -e 's/  */, 0x/g' -e 's/^, /    /' -e 's/$/,/'
  cat <<'SWIFT'
  ]
}
SWIFT
} >"$images/DemoGuestImage.swift"
mv "$images/DemoGuestImage.swift" "$file"
