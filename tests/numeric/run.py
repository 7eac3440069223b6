#!/usr/bin/env python3
"""Every example against its independent reference, on the interpreter and on the CPU kernel.

    tests/numeric/run.py [--einfall build/bin/einfall] [--only NAME] [--engine interp] [--json FILE]

Each variant of cases.py is one `einfall run`. Inputs are rounded to the declared types first, so the
reference sees the same numbers. The interpreter writes its outputs in f64 and must agree to 1e-9; a
kernel writes the declared types: f32 within max(1e-5, 1e-6 sqrt(length)) of the RMS, narrow floats
within 1.5 times the error of rounding the exact result. Engine `cpu-f64` is the kernel with every float
tensor as f64 (two variants an example), within 1e-7: default scalars stay f32. Points that read a NaN are not compared;
all others must be finite, and an infinity must be that infinity.
"""
import argparse
import concurrent.futures
import inspect
import json
import pathlib
import subprocess
import sys
import tempfile
import zlib

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import cases       # noqa: E402
import formats     # noqa: E402
import reference   # noqa: E402


FLOAT_TYPES = ("f32", "f16", "bf16", "f8e4m3", "f8e5m2")


def rms(x):
    return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0


def compare(got, want, kind, length, engine):
    """(relative error, limit, complaint or None)."""
    if got.shape != want.shape:
        return np.inf, 0.0, f"shape {got.shape} instead of {want.shape}"
    known = ~np.isnan(want)
    got, want = got[known], want[known]
    wild = np.isinf(want)
    if not np.array_equal(got[wild], want[wild]):
        return np.inf, 0.0, "an infinity is missing"
    got, want = got[~wild], want[~wild]
    if not np.isfinite(got).all():
        return np.inf, 0.0, f"{int((~np.isfinite(got)).sum())} of {got.size} points are not finite"
    if engine in ("interp", "cpu-f64"):
        limit = 1e-9 if engine == "interp" else 1e-7
    elif kind in ("f32", "f64"):
        limit = max(1e-5, 1e-6 * np.sqrt(length))
    else:
        exact = rms(want)
        limit = 1e-5 + 1.5 * (rms(formats.round_to(want, kind) - want) / exact if exact else 0.0)
    size = rms(want)
    error = rms(got - want) / size if size else float(np.abs(got).max(initial=0.0) > 0)
    return error, limit, None if error <= limit else f"relative error {error:.2e}, limit {limit:.1e}"


def call_reference(function, arrays, options):
    accepted = inspect.signature(function).parameters
    extra = {}
    for group in ("ranks", "params", "scalars"):
        extra.update({k: v for k, v in options.get(group, {}).items() if k in accepted})
    with np.errstate(all="ignore"):
        return function(**arrays, **extra)


def flags(options):
    out = []
    for group, flag in (("ranks", "--rank"), ("params", "--param"), ("scalars", "--in")):
        for name, value in options.get(group, {}).items():
            out += [flag, f"{name}={value}"]
    return out


class Variant:
    """One prepared call: files on disk, the expected outputs, the command line."""

    def __init__(self, name, label, data, options, folder, void=False, wide=False):
        self.name, self.label = name, label
        widened = lambda kind: "f64" if wide and (kind in FLOAT_TYPES) else kind
        path = ROOT / "examples" / f"{name}.ein"
        inputs, self.outputs = formats.header(path.read_text(), name)
        self.outputs = [(n, r, widened(k), d) for n, r, k, d in self.outputs]
        self.base = [str(path)] + flags(options) + (["--dtype", "all=f64"] if wide else [])
        seen, extents = {}, [1]
        for tensor, ranks, kind, default in inputs:
            if tensor not in data:
                if ranks is not None and not default:
                    raise KeyError(f"{name}: no data for '{tensor}'")
                continue
            kind = widened(kind)
            stored, values = formats.encode(data[tensor], kind)
            seen[tensor] = values
            extents += list(np.shape(data[tensor]))
            file = folder / f"{tensor}.npy"
            formats.save(file, stored, void and (kind == "bf16" or kind in formats.F8))
            self.base += ["--in", f"{tensor}={file}"]
        self.length = max(extents)
        self.want = call_reference(reference.find(name), seen, options)
        self.folder = folder

    def run(self, program, engine):
        out = {n: self.folder / f"{engine}_{n}.npy" for n, _, _, _ in self.outputs}
        command = [program, "run", *self.base, "--engine", engine.split("-")[0], "--threads", "1"]
        for tensor, _, kind, _ in self.outputs:
            command += ["--out", f"{tensor}={out[tensor]}"]
            if engine == "interp" and kind in ("f32", "f16", "bf16"):
                command += ["--dtype", f"{tensor}=f64"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return [(np.inf, "no answer in 120 s", command)]
        if done.returncode != 0:
            text = (done.stderr.strip() or f"exit {done.returncode}, no message").splitlines()
            return [(np.inf, f"exit {done.returncode}: " + " | ".join(text[:3]), command)]
        results = []
        for tensor, _, kind, _ in self.outputs:
            kind = "f64" if engine == "interp" and kind in ("f32", "f16", "bf16") else kind
            got = formats.decode(np.load(out[tensor]), kind)
            error, _, complaint = compare(got, np.asarray(self.want[tensor], np.float64), kind, self.length, engine)
            results.append((error, complaint and f"{tensor}: {complaint}", command))
        return results


def prepare(name, folder):
    """Variants with the engines that each is for."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for i, (label, data, options) in enumerate(cases.CASES[name](rng)):
        place = folder / f"{name}_{i}"
        place.mkdir()
        yield Variant(name, label, data, options, place, void=i % 2 == 1), ("interp", "cpu")
        if i in (1, 3):
            place = folder / f"{name}_{i}_f64"
            place.mkdir()
            yield Variant(name, label, data, options, place, wide=True), ("cpu-f64",)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--engine", action="append", choices=["interp", "cpu", "cpu-f64"])
    parser.add_argument("--only", action="append", help="an example's name (repeatable)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", help="write the report table here")
    parser.add_argument("-v", action="store_true", help="print the command of every failure")
    args = parser.parse_args()
    engines = args.engine or ["interp", "cpu", "cpu-f64"]
    names = sorted(p.stem for p in (ROOT / "examples").glob("*.ein"))
    passed, failed, table = 0, 0, {}
    for name in names:
        if name not in cases.CASES:
            print(f"FAIL {name}: the example has no numeric case")
            failed += 1
    names = [n for n in names if n in cases.CASES and (not args.only or n in args.only)]
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        pending = []
        for name in names:
            for variant, suited in prepare(name, pathlib.Path(scratch)):
                pending += [(variant, e, pool.submit(variant.run, args.einfall, e)) for e in suited if e in engines]
        for variant, engine, future in pending:
            results = future.result()
            entry = table.setdefault((variant.name, engine), {"example": variant.name, "engine": engine,
                                                              "variants": 0, "failures": 0, "error": 0.0})
            entry["variants"] += 1
            complaints = [c for _, c, _ in results if c]
            finite = [e for e, _, _ in results if np.isfinite(e)]
            entry["error"] = max([entry["error"], *finite])
            if complaints:
                failed += 1
                entry["failures"] += 1
                print(f"FAIL {variant.name} [{variant.label}] {engine}: {'; '.join(complaints)}")
                if args.v:
                    print("     " + " ".join(results[0][2]))
            else:
                passed += 1
    if args.json:
        rows = [table[k] for k in sorted(table)]
        pathlib.Path(args.json).write_text(json.dumps({"rows": rows, "passed": passed, "failed": failed}, indent=1) + "\n")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
