#!/usr/bin/env python3
"""The command line as its contract states it: verbs, exit codes, files, streams.

    tests/cli/cli.py [--einfall build/bin/einfall]

Wrong calls of `run` are the subject of tests/numeric/call_errors.py; here are the other verbs, the
generators, and what must hold of every verb: exit code 0, 1 or 2, nothing on standard output after an
error, files replaced as a whole or not at all.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TESTS = []

GOOD = """// a comment
cascade twice(A[P,M] : f32, s : f32 = 2) -> (O[P] : f32 empty -1) {
  B[p,m] = s * A[p,m]   where m <= p
  O[p]   = sum[m] B[p,m]
}
"""
MESSY = "// a comment\ncascade twice(A[P,M]:f32,s:f32=2)->(O[P]:f32 empty -1){\n\n\nB[p,m]=s*A[p,m] where m<=p\nO[p]=sum[m]B[p,m]}\n"
BAD = "cascade c(A[P] : f32) -> (O[P] : f32) {\n  O[p] = A[p] +\n  X[q] = (A[q]\n}\n"


def test(function):
    TESTS.append(function)
    return function


class Shell:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def read(self, name):
        return (self.folder / name).read_text()

    def __call__(self, *words, code=0):
        done = subprocess.run([self.program, *words], cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, f"{' '.join(words)}: exit {done.returncode}, not {code}: {done.stderr[:400]}"
        if code:
            assert done.stdout == "", f"standard output after an error: {done.stdout[:200]}"
            assert "error:" in done.stderr, f"no message: {done.stderr!r}"
        return done


@test
def check_is_silent(run):
    run.write("good.ein", GOOD)
    done = run("check", "good.ein", "good.ein")
    assert done.stdout == done.stderr == ""


@test
def check_reports_all_files(run):
    run.write("good.ein", GOOD), run.write("bad.ein", BAD), run.write("worse.ein", "cascade")
    text = run("check", "good.ein", "bad.ein", "worse.ein", code=1).stderr
    assert "bad.ein:2:16: error: expected an expression after '+'" in text
    assert "bad.ein:3:15: error:" in text and "worse.ein:1:8: error:" in text and text.count("[ein-r1]") == 3
    run("check", "absent.ein", code=1), run("check", ".", code=1), run("check", code=2)


@test
def colours_are_asked_for(run):
    run.write("bad.ein", BAD)
    assert "\033[" in run("check", "--color", "always", "bad.ein", code=1).stderr
    assert "\033[" not in run("check", "bad.ein", code=1).stderr
    run("check", "--color", "pink", "bad.ein", code=2)


@test
def fmt_writes_in_place(run):
    run.write("messy.ein", MESSY)
    os.chmod(run.folder / "messy.ein", 0o640)
    assert "canonical" in run("fmt", "--check", "messy.ein", code=1).stderr
    assert run.read("messy.ein") == MESSY
    run("fmt", "messy.ein")
    assert run.read("messy.ein") == GOOD
    assert (run.folder / "messy.ein").stat().st_mode & 0o777 == 0o640
    run("fmt", "--check", "messy.ein")


@test
def fmt_touches_nothing_after_an_error(run):
    run.write("messy.ein", MESSY), run.write("bad.ein", BAD)
    run("fmt", "messy.ein", "bad.ein", code=1)
    assert run.read("messy.ein") == MESSY and run.read("bad.ein") == BAD
    assert sorted(p.name for p in run.folder.iterdir()) == ["bad.ein", "messy.ein"]


@test
def fmt_follows_links(run):
    run.write("messy.ein", MESSY)
    (run.folder / "link.ein").symlink_to("messy.ein")
    run("fmt", "link.ein")
    assert (run.folder / "link.ein").is_symlink() and run.read("messy.ein") == GOOD


@test
def run_computes(run):
    run.write("good.ein", GOOD)
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.save(run.folder / "a.npy", a)
    run("run", "good.ein", "--in", "A=a.npy", "--in", "s=0.5", "--out", "O=o.npy", "--engine", "interp")
    want = [0.5 * a[p, :p + 1].sum() for p in range(3)]
    assert np.load(run.folder / "o.npy").tolist() == want
    run("run", "good.ein", "--in", "A=@arange", "--rank", "P=3", "--rank", "M=4", "--out", "O=o.npy",
        "--engine", "interp")
    assert np.load(run.folder / "o.npy").tolist() == [4 * w for w in want]


@test
def generators_depend_on_seed_and_name(run):
    run.write("copy.ein", "cascade c(A[N] : f32, B[N] : f32, I[N] : i32, F[N] : bool) -> "
              "(X[N] : f32, Y[N] : f32, Z[N] : i32, W[N] : bool) "
              "{ X[n] = A[n]  Y[n] = B[n]  Z[n] = I[n]  W[n] = F[n] }")

    def draw(seed, kind="@normal"):
        run("run", "copy.ein", "--engine", "interp", "--rank", "N=4000", "--seed", str(seed),
            *[w for n in "ABIF" for w in ("--in", f"{n}={kind}")],
            *[w for n in "XYZW" for w in ("--out", f"{n}={n}.npy")])
        return [np.load(run.folder / f"{n}.npy") for n in "XYZW"]

    x, y, z, w = draw(0)
    again = draw(0)
    assert all((p == q).all() for p, q in zip((x, y, z, w), again))
    assert (x != y).any() and (x != draw(1)[0]).any()
    assert abs(x.mean()) < 0.1 and abs(x.std() - 1) < 0.05
    assert set(z) == set(range(8)) and 0.4 < w.mean() < 0.6
    u = draw(0, "@uniform")[0]
    assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.05
    assert not draw(0, "@zeros")[0].any()


@test
def entry_chooses(run):
    run.write("two.ein", "".join(f"cascade {n}(A[I] : f32) -> (O[I] : f32) {{ O[i] = {k} * A[i] }}\n"
                                 for n, k in (("a", 1), ("b", 3))))
    words = ["run", "two.ein", "--in", "A=@arange", "--rank", "I=3", "--out", "O=o.npy", "--engine", "interp"]
    assert "'a' and 'b'" in run(*words, code=2).stderr
    run(*words, "--entry", "b")
    assert np.load(run.folder / "o.npy").tolist() == [0, 3, 6]


@test
def outputs_come_together_or_not(run):
    run.write("two.ein", "cascade c(A[I] : f32) -> (X[I] : f32, Y[I] : f32) { X[i] = A[i]  Y[i] = -A[i] }")
    run("run", "two.ein", "--in", "A=@zeros", "--rank", "I=3", "--engine", "interp", "--out", "X=x.npy",
        "--out", "Y=nowhere/y.npy", code=1)
    run("run", "two.ein", "--in", "A=@zeros", "--rank", "I=3", "--engine", "interp", "--out", "X=x.npy",
        "--out", "Y=x.npy", code=2)
    assert sorted(p.name for p in run.folder.iterdir()) == ["two.ein"]


@test
def checked_mode_names_the_index(run):
    run.write("gather.ein", "cascade c(A[M] : f32, I[P] : i32) -> (O[P] : f32) { O[p] = A[I[p]] }")
    np.save(run.folder / "a.npy", np.ones(4, np.float32))
    np.save(run.folder / "i.npy", np.array([1, 93], np.int32))
    words = ["run", "gather.ein", "--in", "A=a.npy", "--in", "I=i.npy", "--out", "O=o.npy", "--engine", "interp"]
    run(*words)
    assert np.load(run.folder / "o.npy").tolist() == [1, 0]
    text = run(*words, "--checked", code=1).stderr
    assert "93" in text and "4" in text and "[ein-c2]" in text


@test
def explain_json_has_its_keys(run):
    run.write("good.ein", GOOD)
    facts = json.loads(run("explain", "good.ein", "--json").stdout)
    for key in ("cascade", "source", "derived", "rewrites", "barriers", "merge", "kernels", "materialised", "masks"):
        assert key in facts, key
    assert facts["cascade"] == "twice" and "passes" in facts["source"] and "passes" in facts["derived"]
    assert "pass" in run("explain", "good.ein").stdout
    run.write("bad.ein", BAD)
    run("explain", "bad.ein", "--json", code=1)


@test
def targets_are_listed(run):
    names = [t["name"] for t in json.loads(run("targets", "--json").stdout)]
    assert names[0] == "native" and "x86-64-v3" in names
    assert "runs here" in run("targets").stdout


@test
def compile_writes_object_header_description(run):
    run.write("good.ein", GOOD)
    run("compile", "good.ein", "-o", "out", "--target", "x86-64-v3")
    assert sorted(p.name for p in (run.folder / "out").iterdir()) == ["twice.h", "twice.json", "twice.o"]
    json.loads(run.read("out/twice.json"))
    run("compile", "good.ein", "-o", "more", "--emit", "asm,llvm,tile,ein")
    assert len(list((run.folder / "more").iterdir())) == 4
    assert "soup" in run("compile", "good.ein", "-o", "no", "--emit", "soup", code=2).stderr
    assert "GPU" in run("compile", "good.ein", "-o", "no", "--emit", "ptx", code=2).stderr
    run("compile", "good.ein", code=2)
    run("compile", "good.ein", "-o", "good.ein", code=1)
    assert not (run.folder / "no").exists() and run.read("good.ein") == GOOD


@test
def bench_json_has_its_keys(run):
    run.write("good.ein", GOOD)
    facts = json.loads(run("bench", "good.ein", "--rank", "P=64", "--rank", "M=64", "--threads", "1", "--seconds", "0.1",
                           "--json").stdout)
    for key in ("cascade", "entry", "target", "threads", "ranks", "compile_seconds", "seconds", "flops",
                "executed_flops", "peak_flops", "share_of_peak", "bytes", "read_bandwidth", "share_of_bandwidth", "tiles"):
        assert key in facts, key
    assert facts["flops"] == 2 * 64 * 65 / 2 and facts["ranks"] == {"P": 64, "M": 64}
    assert 0 < facts["seconds"]["min"] <= facts["seconds"]["median"] and facts["seconds"]["runs"] >= 3


@test
def wrong_use(run):
    for words in ([], ["boil"], ["run"], ["explore", "x.ein", "--machine", "m"], ["grad", "x.ein", "-o", "y"],
                  ["targets", "--fast"]):
        run(*words, code=2)
    run.write("good.ein", GOOD)
    assert "cuda" in run("run", "good.ein", "--engine", "cuda", code=2).stderr
    assert run("--help").stdout and run("run", "--help").stdout and "einfall" in run("--version").stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    program = str(pathlib.Path(args.einfall).resolve())
    failed = 0
    for function in TESTS:
        if args.only not in function.__name__:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(Shell(program, pathlib.Path(folder)))
            except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as problem:
                failed += 1
                print(f"FAIL {function.__name__}: {problem!r}"[:600])
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
