# Every suite of the project, in order of cost. Sourced by ./dev.

# suite NAME COMMAND..: runs and counts; a failing suite does not stop the others.
suite() {
  local name=$1
  shift
  "$PYTHON" tools/dev/suite.py "$name" "$RESULTS" "$LOGS/$name.log" "$@"
}

run_all_tests() {
  RESULTS=$LOGS/results
  mkdir -p "$LOGS"
  : >"$RESULTS"
  # A bare system has no cc and no c++, which the tests of host programs call.
  command -v cc >/dev/null || export CC=clang-$LLVM
  command -v c++ >/dev/null || export CXX=clang++-$LLVM
  suite lint "$PYTHON" tools/lint/lint.py
  suite build ./dev build
  local program
  for program in "$BUILD"/bin/unit_*; do
    [[ -x $program ]] && suite "${program##*/}" "$program"
  done
  suite lit lit-$LLVM -sv -j "$JOBS" "$BUILD/tests/lit"
  local runner
  for runner in tests/*/run.py; do
    [[ $runner == tests/random/run.py ]] && continue
    suite "$(basename "$(dirname "$runner")")" "$PYTHON" "$runner" --einfall "$BUILD/bin/einfall"
  done
  suite cli "$PYTHON" tests/cli/cli.py --einfall "$BUILD/bin/einfall"
  suite call_errors "$PYTHON" tests/numeric/call_errors.py --einfall "$BUILD/bin/einfall"
  suite random "$PYTHON" tests/random/run.py --einfall "$BUILD/bin/einfall" --count 500 --seed 1
  # The parts without MLIR once more, under the address and undefined sanitizers.
  suite fuzz ./dev fuzz 10
  for program in "$BUILD"-sanitize/bin/unit_*; do
    [[ -x $program ]] && suite "sanitize-${program##*/}" "$program"
  done
  awk '{ passed += $2; failed += $3 } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$RESULTS"
}
