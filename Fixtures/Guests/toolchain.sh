# Sourced by the guests' build scripts: the Swift toolchain's compiler and linker, as $bin.

# The folder of the toolchain's programs: that of `swift`, behind any symbolic links.
toolchain() {
  program=$(command -v swift) || fail "no swift on the PATH; set SWIFT_BIN to the folder of one"
  while [ -L "$program" ]; do
    link=$(readlink "$program")
    case $link in
      /*) program=$link ;;
      *) program=$(dirname "$program")/$link ;;
    esac
  done
  dirname "$program"
}

# find_toolchain TOOL…: sets $bin to a folder that has these programs.
find_toolchain() {
  bin=${SWIFT_BIN:-$(toolchain)}
  for tool; do
    [ -x "$bin/$tool" ] || fail "no $tool in $bin; set SWIFT_BIN to a Swift toolchain's bin folder"
  done
  bin=$(cd "$bin" && pwd)
}

# flat SOURCE ORIGIN OUTPUT OPTION…: compiles SOURCE to run at address ORIGIN, nothing around it.
flat() {
  source=$1 origin=$2 output=$3
  shift 3
  "$bin/clang" --target=i386-none-elf -Wall -Werror "$@" -c "$source" -o "$output.o"
  "$bin/ld.lld" -m elf_i386 --image-base=0 -Ttext="$origin" -e "$origin" --oformat=binary \
    "$output.o" -o "$output"
  rm "$output.o"
}
