#!/bin/sh
# Whether the sources compile for macOS, tried on Linux: sh check.sh PROJECT [CACHE]
#
# Compiles the targets for a Mac (types, concurrency, ownership, availability; down to object
# files) against the C headers of the macOS SDK, as the PyPI package ziglang ships them, and the
# standard library's own module interfaces, as the Linux toolchain ships them, which are built anew
# for macOS. Then looks up every C symbol that the objects want in the SDK's list of libSystem's.
#
# What Swift adds to `Darwin` by hand is in Darwin.swift beside this file, what belongs to which C
# module in module.modulemap, Darwin.h and MachO.h, and proof that the check still bites in
# Canary.swift. Nothing is linked or run; what needs Foundation, Testing or Dispatch is left out.
#
# CACHE (default: $XDG_CACHE_HOME/darwin-check, else ~/.cache/darwin-check) keeps the headers and
# the built modules: the first run takes about two minutes and 100 MB of download, later ones less
# than one minute. ARCHS (default: both) may be "arm64" or "x86_64" alone. ZIGLANG is the package's
# version: 0.16.0 has the headers of the SDK 26.4, which is that of Swift 6.3; 0.15.2 those of 15.5,
# 0.17.1 those of 27.0.
#
# Exit status: 0 where all is well, 1 where it isn't, 2 where the check could not be made.
set -eu

known_zig=0.16.0
known_sha256=9fcda73f62b851dd72a54b710ad40a209896db14cfb13649e62191243556342b
zig=${ZIGLANG:-$known_zig}
archs=${ARCHS:-arm64 x86_64}
[ $# -ge 1 ] && [ -f "$1/Package.swift" ] || {
  echo "usage: sh check.sh PROJECT [CACHE]" >&2
  exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$1" && pwd)
cache=${2:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/darwin-check}
fail() {
  echo "darwin check: $*" >&2
  exit 2
}

swiftc=$(command -v swiftc) || fail "no swiftc on the search path"
tools=$(dirname "$(readlink -f "$swiftc")")
resources=$("$swiftc" -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
interfaces=$resources/linux
[ -d "$interfaces/Swift.swiftmodule" ] || fail "the toolchain has no standard library for Linux"
version=$("$swiftc" --version 2>/dev/null | sed -n 's/.*(\(swift-[^)]*\)).*/\1/p')
stubs=$(cat "$here/module.modulemap" "$here/"*.h "$here/Darwin.swift" | cksum)
# Raise the number when what is done to the interfaces below changes.
work=$cache/${version:-swift}-$zig-1-$(echo "$stubs" | tr ' ' -)
mkdir -p "$work"

# The headers, and the list of what libSystem has. The headers are the same in the package for every
# platform: one is taken, and the known version is held to its digest.
if [ ! -d "$cache/ziglang-$zig" ]; then
  python=
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then python=$candidate && break; fi
  done
  [ -n "$python" ] || fail "no python3 with pip (Debian: python3-pip)"
  download=$(mktemp -d "$cache/download.XXXXXX")
  trap 'rm -rf "$download"' EXIT
  echo "fetching the headers (ziglang $zig)"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --only-binary=:all: --platform manylinux_2_12_x86_64 --dest "$download" \
    "ziglang==$zig" || fail "pip could not get ziglang $zig"
  if [ "$zig" = "$known_zig" ]; then
    echo "$known_sha256  $(echo "$download"/*.whl)" | sha256sum --check --quiet ||
      fail "ziglang $zig is not the package that it was"
  fi
  python3 - "$download" <<'EOF' || fail "the package ziglang $zig is not laid out as expected"
import glob, os, sys, zipfile
folder = sys.argv[1]
wheel = zipfile.ZipFile(glob.glob(folder + "/*.whl")[0])
root = "ziglang/lib/libc/"
found = 0
for name in wheel.namelist():
    for part in (root + "include/any-darwin-any/", root + "include/any-macos-any/", root + "darwin/"):
        if name.startswith(part) and not name.endswith("/"):
            kind = "sdk" if part.endswith("darwin/") else "include"
            path = os.path.join(folder, "out", kind, name[len(part):])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(wheel.read(name))
            found += 1
sys.exit(found < 100)
EOF
  # Another run may have been faster.
  [ -d "$cache/ziglang-$zig" ] || mv "$download/out" "$cache/ziglang-$zig"
fi

# The standard library for macOS. In the interfaces, made on Linux, a few places can't be kept:
# what is deployed backwards needs bodies, the API checks want more than we do, Float80 is for x86
# alone, and Mutex asks Linux for the thread's number. Its own lock is another on macOS, unseen.
sdk=$work/sdk
if [ ! -f "$sdk/done" ]; then
  rm -rf "$sdk"
  mkdir -p "$sdk/usr/lib/swift"
  ln -s "$cache/ziglang-$zig/include" "$sdk/usr/include"
  for module in Swift _Concurrency _StringProcessing _RegexParser RegexBuilder SwiftOnoneSupport \
    Synchronization Observation Distributed; do
    from=$interfaces/$module.swiftmodule
    [ -d "$from" ] || continue
    mkdir "$sdk/usr/lib/swift/$module.swiftmodule"
    for arch in arm64 x86_64; do
      sed -e "1,8s/-target [^ ]*-linux-gnu/-target $arch-apple-macosx15.0/" \
        -e '1,8s/-library-level api//' -e '1,8s/-target-min-inlining-version min//' \
        -e 's/^import Glibc$/import Darwin/' \
        -e '/^ *@backDeployed(before: /d' \
        -e '/_stdlib_remainderl(self, other)/d' -e '/_stdlib_squareRootl(self)/d' \
        -e 's/_swift_stdlib_gettid()/UInt32(0)/' \
        "$from/$(uname -m)-unknown-linux-gnu.swiftinterface" \
        >"$sdk/usr/lib/swift/$module.swiftmodule/$arch-apple-macos.swiftinterface"
    done
  done
  : >"$sdk/done"
fi

# The package's own settings.
manifest=$project/Package.swift
macos=$(sed -n 's/.*\.macOS(\.v\([0-9_]*\)).*/\1/p' "$manifest" | head -n 1 | tr _ .)
settings="-swift-version 6 -package-name project"
if grep -q 'treatAllWarnings(as: \.error)' "$manifest"; then
  settings="$settings -warnings-as-errors"
fi
for feature in $(sed -n 's/.*enableUpcomingFeature("\([A-Za-z]*\)").*/\1/p' "$manifest"); do
  settings="$settings -enable-upcoming-feature $feature"
done

# Compiles the files on standard input, one a line, as one module.
compile() { # LOG ARCH MODULE OPTION...
  log=$1 arch=$2 module=$3
  shift 3
  # shellcheck disable=SC2086 # the settings are words
  tr '\n' '\0' | xargs -0 nice "$swiftc" -frontend "$@" -sdk "$sdk" -resource-dir "$resources" \
    -target "$arch-apple-macosx${macos:-15}.0" -disable-objc-interop \
    -module-cache-path "$work/$arch/modules" -I "$here" -I "$work/$arch" -module-name "$module" \
    >"$log" 2>&1
}

# C functions and variables that the objects want and libSystem hasn't.
missing_symbols() { # ARCH OBJECT...
  arch=$1
  shift
  [ -x "$tools/llvm-nm" ] || return 0
  for object in "$@"; do
    "$tools/llvm-nm" --undefined-only --format=just-symbols "$object"
  done |
    sed -e '/^_\$s/d' -e '/^_*swift/d' -e '/^_symbolic/d' \
      -e '/^_OBJC_/d' -e '/^_objc_/d' | sort -u |
    python3 "$here/symbols.py" "$cache/ziglang-$zig/sdk/libSystem.tbd" "$arch"
}

# One architecture: whether the sources compile for it.
check() { # ARCH
  arch=$1
  out=$work/$arch
  wrong=0

  [ -f "$out/Darwin.swiftmodule" ] || {
    echo "building the standard library and the C modules for $arch"
    echo "$here/Darwin.swift" | compile "$out/Darwin.log" "$arch" Darwin -emit-module \
      -parse-as-library -import-underlying-module -o "$out/Darwin.swiftmodule"
  } || {
    rm -f "$out/Darwin.swiftmodule"
    cat "$out/Darwin.log" >&2
    fail "the modules can't be built"
  }

  # What must be refused is, and nothing else is.
  echo "$here/Canary.swift" | compile "$out/Canary.log" "$arch" Canary -typecheck \
    -swift-version 6 -enable-upcoming-feature MemberImportVisibility && fail "no error is found"
  sed -n 's/^.*Canary\.swift:\([0-9]*\):[0-9]*: error: .*/\1/p' "$out/Canary.log" | sort -un \
    >"$out/Canary.found"
  sed -n '/\/\/ wrong$/=' "$here/Canary.swift" >"$out/Canary.expected"
  cmp -s "$out/Canary.found" "$out/Canary.expected" || {
    cat "$out/Canary.log" >&2
    diff "$out/Canary.expected" "$out/Canary.found" >&2 || :
    fail "these lines of Canary.swift are not judged as they should be"
  }

  objects=
  for folder in $folders; do
    case $folder in
    Sources/*) module=$(basename "$folder") ;;
    *) module=qmp_bench ;;
    esac
    # shellcheck disable=SC2086 # the settings are words
    if find "$project/$folder" -name '*.swift' | sort |
      compile "$out/$module.log" "$arch" "$module" -emit-object -parse-as-library $settings \
        -emit-module-path "$out/$module.swiftmodule" -o "$out/$module.o"; then
      echo "$arch: $folder compiles"
      objects="$objects $out/$module.o"
    else
      echo "$arch: $folder does not compile:"
      sed "s|$project/||g" "$out/$module.log"
      wrong=1
      # A later target would only tell of the module that it misses.
      break
    fi
  done
  # shellcheck disable=SC2086 # one word each
  if [ -n "$objects" ] && missing=$(missing_symbols "$arch" $objects) && [ -n "$missing" ]; then
    echo "$arch: libSystem of the SDK has no such symbols: $missing"
    wrong=1
  fi
  return $wrong
}

# In the order of their dependencies.
folders="Sources/QMPClient Sources/QVMControl Sources/qvm Tests/Benchmarks/qmp/Swift"
for folder in $folders; do
  [ -d "$project/$folder" ] || fail "there is no $folder: has a target been renamed?"
done

# All architectures at once, each with its own output, one after the other on the terminal.
started=
for arch in $archs; do
  mkdir -p "$work/$arch"
  (check "$arch") >"$work/$arch/check.log" 2>&1 &
  started="$started $!"
done
status=0
# shellcheck disable=SC2086 # one word each
set -- $started
for arch in $archs; do
  wait "$1" || {
    found=$?
    [ $found -le $status ] || status=$found
  }
  cat "$work/$arch/check.log"
  shift
done
if [ $status -ne 0 ]; then exit $status; fi
echo "darwin check: the sources compile for macOS ($archs, ${version:-swift}, ziglang $zig)"
