# What the build needs, and how to get it. Sourced by ./dev; sets PYTHON.

PACKAGES=(ca-certificates git cmake ninja-build ccache python3 zlib1g-dev
  llvm-$LLVM-dev libmlir-$LLVM-dev mlir-$LLVM-tools llvm-$LLVM-tools clang-$LLVM lld-$LLVM
  libclang-rt-$LLVM-dev libc6-dev libstdc++-12-dev clang-format-14
  libfmt-dev libcli11-dev nlohmann-json3-dev libbenchmark-dev catch2)

# The first python3 that has numpy; the tests compare against numpy references.
find_python() {
  for PYTHON in python3 /usr/bin/python3; do
    "$PYTHON" -c 'import numpy' >/dev/null 2>&1 && return
  done
  PYTHON=python3
  return 1
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

deps() {
  local missing=() package absent=()
  if ! command -v apt-get >/dev/null; then
    command -v cmake ninja ccache clang++-$LLVM lld-$LLVM mlir-opt-$LLVM python3 >/dev/null && find_python && return
    say "dev: this system has no apt-get. Install what Debian 12 calls:"
    say "  ${PACKAGES[*]} python3-numpy"
    return 1
  fi
  for package in "${PACKAGES[@]}"; do
    installed "$package" || missing+=("$package")
  done
  find_python || missing+=(python3-numpy)
  ((${#missing[@]} == 0)) && return
  local sudo=
  if ((EUID != 0)); then
    sudo=sudo
    command -v sudo >/dev/null || { say "dev: as root, run: apt-get install ${missing[*]}"; return 1; }
  fi
  quietly apt-update $sudo apt-get update
  for package in "${missing[@]}"; do
    [[ $(apt-cache policy "$package" 2>/dev/null) == *'Candidate: '[!\(]* ]] || absent+=("$package")
  done
  if ((${#absent[@]})); then
    say "dev: no configured package source has: ${absent[*]}"
    say "  LLVM and MLIR $LLVM for Debian 12 are in bookworm-security:"
    say "    deb http://deb.debian.org/debian-security bookworm-security main"
    say "  or at https://apt.llvm.org (llvm-toolchain-bookworm-$LLVM). Add one to /etc/apt/sources.list.d."
    return 1
  fi
  say "dev: installing ${missing[*]}"
  quietly apt-install $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
  # A python3 that shadows Debian's does not see Debian's numpy: find_python falls back to /usr/bin.
  find_python
}

find_python || true
