#!/usr/bin/env python3
"""Speed of a few cascades as a share of the peak measured in the same process; `./dev bench`.

    bench/run.py [--einfall build/bin/einfall] [--threads 1] [--json]

Each case is a call of `einfall bench --json`, so that any line can be repeated by hand.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"B": 1, "H": 8, "P": 2048, "M": 2048}
CASES = [  # file, extents, element type
    ("attention", dict(SIZES, E=64, F=64), "f32"),
    ("attention", dict(SIZES, E=128, F=128), "f32"),
    ("causal_gqa", dict(SIZES, J=8, E=64, F=64), "f32"),
    ("causal_gqa", dict(SIZES, J=8, E=128, F=128), "f32"),
    ("causal_gqa", dict(SIZES, J=2, E=64, F=64), "bf16"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--threads", default="1")
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    args = parser.parse_args()
    failed = False
    for name, ranks, dtype in CASES:
        command = [args.einfall, "bench", str(ROOT / "examples" / f"{name}.ein"), "--json", "--threads", args.threads,
                   "--dtype", f"all={dtype}"]
        for rank, extent in ranks.items():
            command += ["--rank", f"{rank}={extent}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
            failed = True
        elif args.json:
            print(json.dumps(json.loads(done.stdout)))
        else:
            result = json.loads(done.stdout)
            print(f"{name:<12} {dtype:<5} E {ranks['E']:<4} {result['seconds']['median'] * 1e3:8.1f} ms  "
                  f"{100 * result['share_of_peak']:5.1f} % of peak", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
