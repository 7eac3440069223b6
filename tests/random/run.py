#!/usr/bin/env python3
"""Random cascades: interpreter and CPU kernel must agree.

    tests/random/run.py [--count 500] [--seed 0] [--keep FOLDER]

Cascade i comes from seed SEED + i (generate.py). A kernel may refuse a construct by name (ein-u1 .. u4);
such cascades count as refused and must stay below --refused (a share). Everything else must run on both
engines and agree at every point, missing points and infinities included. `--keep` writes each failing
cascade with its inputs and the call that shows it.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "numeric")]
import formats     # noqa: E402
import generate    # noqa: E402


def disagreement(got, want, kind, bound):
    """None, or where and how far two arrays differ."""
    if got.shape != want.shape:
        return f"shape {got.shape} against {want.shape}"
    if kind in ("bool", "i32"):
        wrong = got != want
    else:
        step = {"bf16": 2.0 ** -7}.get(kind, 5e-5)
        with np.errstate(all="ignore"):
            close = np.abs(got - want) <= step * np.maximum(np.abs(want), max(1.0, bound) if kind != "bf16" else 0.02)
        wrong = ~(close | (got == want) | (np.isnan(got) & np.isnan(want)))
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} points, first {list(at)}: {want[at]!r} interpreted, {got[at]!r} compiled"


def call(program, folder, inputs, outputs, engine):
    command = [program, "run", str(folder / "program.ein"), "--engine", engine, "--threads", "1"]
    for name in inputs:
        command += ["--in", f"{name}={folder / name}.npy"]
    for name, _, _ in outputs:
        command += ["--out", f"{name}={folder / engine}_{name}.npy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr.strip()


def trial(program, seed, scratch, keep):
    """('passed' | 'refused' | 'failed', text)."""
    text, inputs, outputs = generate.generate(seed)
    folder = scratch / str(seed)
    folder.mkdir()
    (folder / "program.ein").write_text(text)
    for name, (values, declared) in inputs.items():
        formats.save(folder / f"{name}.npy", formats.encode(values, declared)[0])
    state, story = "passed", ""
    try:
        for engine in ("interp", "cpu"):
            code, message = call(program, folder, inputs, outputs, engine)
            if code == 0:
                continue
            first = " | ".join(message.splitlines()[:3]) or f"exit {code}, no message"
            if engine == "cpu" and code == 1 and re.search(r"ein-u[1-4]", message):
                state, story = "refused", first
            else:
                state, story = "failed", f"{engine}, exit {code}: {first}"
            break
    except subprocess.TimeoutExpired:
        state, story = "failed", "no answer in 60 s"
    if state == "passed":
        for name, kind, bound in outputs:
            read = [formats.decode(np.load(folder / f"{e}_{name}.npy"), kind) for e in ("cpu", "interp")]
            different = disagreement(*read, kind, bound)
            if different:
                state, story = "failed", f"{name}: {different}"
                break
    if state == "failed" and keep:
        place = keep / str(seed)
        place.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
        (place / "why.txt").write_text(story + "\n")
    for file in folder.iterdir():
        file.unlink()
    return state, story


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for failing cascades")
    parser.add_argument("--refused", type=float, default=0.25, help="share of cascades that a kernel may refuse")
    parser.add_argument("-v", action="store_true", help="print refusals too")
    args = parser.parse_args()
    tally = {"passed": 0, "refused": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        seeds = range(args.seed, args.seed + args.count)
        jobs = [(s, pool.submit(trial, args.einfall, s, pathlib.Path(scratch), args.keep)) for s in seeds]
        for seed, job in jobs:
            state, story = job.result()
            tally[state] += 1
            if state == "failed" or (args.v and state == "refused"):
                print(f"{'FAIL' if state == 'failed' else 'refused'} seed {seed}: {story}", flush=True)
    if tally["refused"]:
        print(f"{tally['refused']} refused by the CPU target, by name")
    if tally["refused"] > args.refused * args.count:
        print(f"FAIL more than {args.refused:.0%} refused")
        tally["failed"] += 1
    print(f"{tally['passed']} passed, {tally['failed']} failed")
    return int(tally["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
