#!/bin/sh
# Builds a C++ program over libeinfall.so: build.sh [FOLDER-OF-LIBEINFALL [OUTPUT-FOLDER]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lib=$(cd "${1:-$root/build/lib}" && pwd)
out=${2:-$here/build}
mkdir -p "$out"
"${CXX:-c++}" -std=c++20 -O2 -Wall -Wextra -I "$root/compiler/driver" -I "$root/runtime/include" "$here/main.cpp" \
  -L "$lib" -leinfall -Wl,-rpath,"$lib" -o "$out/host_cpp"
