#!/bin/sh
# Compiles a cascade to an object and links it into a C program: build.sh [EINFALL [OUTPUT-FOLDER]]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
einfall=${1:-$root/build/bin/einfall}
out=${2:-$here/build}
mkdir -p "$out"
"$einfall" compile "$root/examples/causal_gqa.ein" --dtype all=f32 -o "$out"
"${CC:-cc}" -std=c11 -O2 -Wall -Wextra -I "$out" -I "$root/runtime/include" "$here/main.c" "$out/causal_gqa.o" \
  "$(dirname "$einfall")/../lib/libeinfall_rt.a" -lpthread -lm -o "$out/host_c"
