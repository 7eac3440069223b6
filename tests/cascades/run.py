#!/usr/bin/env python3
"""Two hundred small cascades as a newcomer would write them, each with its own numpy reference.

    tests/cascades/run.py [--einfall build/bin/einfall] [--only PREFIX] [--modes t2,bf16,f16,f64] [-v]

Every cascade runs on the interpreter and as a CPU kernel against the float64 reference; `--modes` adds
two threads and the other element types. Where a case names passes or a barrier, `explain --json` is
checked too.
"""
import argparse
import concurrent.futures
import importlib
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import harness  # noqa: E402

# Right in value, with more passes or stored tensors than the best form has: printed, not counted.
OPEN = {"all_in_one", "wvar_own_fn", "diffattn_causal_norm", "packed", "paged", "mla2", "mla_absorbed",
        "gathered_topk", "offsets1d", "landmark2", "fox", "online_written", "online_token", "cosine",
        "synth", "two_softmax_gate"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(harness.ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--only", action="append", help="start of a case's name (repeatable)")
    parser.add_argument("--modes", default="t2,f64", help="of t2, bf16, f16, f64; empty: none")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-v", action="store_true", help="print the command of every failure")
    args = parser.parse_args()
    for name in ("softmax", "masks", "recurrences", "language", "kinks"):
        importlib.import_module(name)
    cases = [c for c in harness.CASES if not args.only or any(c["name"].startswith(o) for o in args.only)]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        run = lambda case: harness.test(args.einfall, case, pathlib.Path(scratch), args.modes.split(","))
        for case, (failures, count) in zip(cases, pool.map(run, cases)):
            told = [f for f in failures if case["name"] in OPEN and f[0] in ("passes", "barrier")]
            for _, complaint, _ in told:
                print(f"open {case['name']}: {complaint}")
            failures = [f for f in failures if f not in told]
            passed += max(count - len(failures) - len(told), 0)
            failed += len(failures)
            for engine, complaint, command in failures:
                print(f"FAIL {case['name']} {engine}: {complaint}")
                if args.v:
                    print("     " + " ".join(map(str, command)))
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
