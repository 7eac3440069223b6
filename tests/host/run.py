#!/usr/bin/env python3
"""Programs that use Einfall from outside: C with an ahead-of-time kernel, C++ with the shared library.

    run.py --einfall build/bin/einfall

Prints one line for each failure and ends with `N passed, N failed`.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CC, CXX = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
passed = failed = 0


def check(name, good, detail=""):
    global passed, failed
    if good:
        passed += 1
        return
    failed += 1
    print(f"FAIL {name}: {detail.strip()[-1500:]}")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr


def host_c(einfall, out):
    code, _, errors = run(os.path.join(ROOT, "examples/host_c/build.sh"), einfall, out)
    check("host_c builds", code == 0, errors)
    if code:
        return
    check("host_c builds without warnings", errors == "", errors)
    program = os.path.join(out, "host_c")
    code, text, errors = run(program)
    check("host_c agrees with the formula", code == 0, text + errors)
    check("host_c sees the refusal", "refused: rank M: 8 in 'K', 7 in 'V'" in text, text)
    for threads in ("0", "1"):
        code, text, errors = run(program, env={**os.environ, "EINFALL_PIN": threads})
        check(f"host_c with EINFALL_PIN={threads}", code == 0, text + errors)
    _, libraries, _ = run("ldd", program)
    check("host_c needs no LLVM and no C++ library",
          not any(word in libraries for word in ("LLVM", "MLIR", "stdc++")), libraries)
    _, symbols, _ = run("nm", "--defined-only", "--extern-only", os.path.join(out, "causal_gqa.o"))
    check("the object defines only its description", [line.split()[-1] for line in symbols.splitlines()] ==
          ["causal_gqa_kernel"], symbols)
    _, symbols, _ = run("nm", "--undefined-only", os.path.join(out, "causal_gqa.o"))
    needed = {line.split()[-1] for line in symbols.splitlines()}
    check("the object needs only the runtime and libc",
          all(name.startswith("einfall_") or name in LIBC for name in needed), symbols)


LIBC = {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "exp", "expf", "exp2", "exp2f", "expm1", "expm1f", "log",
        "logf", "log2", "log2f", "log1p", "log1pf", "tanh", "tanhf", "erf", "erff", "sin", "sinf", "cos", "cosf", "pow",
        "powf", "floor", "ceil", "rint", "roundeven", "fmod", "fmodf", "fma", "fmaf", "sqrt", "sqrtf", "round", "trunc",
        "floorf", "ceilf", "rintf", "roundevenf", "truncf", "exp10", "nearbyint", "nearbyintf", "fmax", "fmin", "fmaxf",
        "fminf"}


def header(out):
    path = os.path.join(out, "causal_gqa.h")
    text = open(path).read()
    for word in ("f32 [B, J, M, E]", "M: the shape of K, V", "split H = (J, G)", "stride", "Workspace", "EINFALL_BAD_ARGUMENT"):
        check(f"header mentions {word}", word in text, text)
    include = ["-I", os.path.join(ROOT, "runtime/include"), "-include", path, "-xc", "/dev/null", "-c", "-o", os.devnull]
    code, _, errors = run(CC, "-std=c11", "-Wall", "-Wextra", "-Wno-unused-function", "-pedantic", "-Werror", *include)
    check("header is strict C11", code == 0, errors)
    include[4] = "-xc++"
    code, _, errors = run(CXX, "-std=c++11", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror", *include)
    check("header is C++11", code == 0, errors)
    facts = json.load(open(os.path.join(out, "causal_gqa.json")))
    check("JSON names inputs", [t["name"] for t in facts["inputs"]] == ["Q", "K", "V"], str(facts))
    check("JSON names outputs", [t["name"] for t in facts["outputs"]] == ["O", "LSE"], str(facts))
    check("JSON has overridden types", all(t["type"] == "f32" for t in facts["inputs"]), str(facts))


def targets(einfall, out):
    """Objects for other processors are written even where they cannot run."""
    for target in ("x86-64-v3", "x86-64-v4", "znver4"):
        folder = os.path.join(out, target)
        code, _, errors = run(einfall, "compile", os.path.join(ROOT, "examples/causal_gqa.ein"), "--target", target,
                              "-o", folder)
        check(f"compile for {target}", code == 0 and os.path.exists(os.path.join(folder, "causal_gqa.o")), errors)
    for target in ("pentium9", "sm_90a", "i686"):
        code, text, errors = run(einfall, "compile", os.path.join(ROOT, "examples/causal_gqa.ein"), "--target", target,
                                 "-o", os.path.join(out, target))
        check(f"target {target} is refused", code == 1 and target in errors and text == "", f"{code} {errors}")


def host_cpp(library, out):
    path = os.path.join(library, "libeinfall.so")
    check("libeinfall.so is built", os.path.exists(path), path)
    if not os.path.exists(path):
        return
    _, symbols, _ = run("nm", "-D", "--defined-only", path)
    names = [line.split()[-1].split("@")[0] for line in symbols.splitlines()]
    check("libeinfall.so exports only its interface", names and all(n.startswith("einfall_") for n in names),
          str([n for n in names if not n.startswith("einfall_")][:5]))
    for name in ("einfall_compile", "einfall_run", "einfall_bind", "einfall_pool_create", "einfall_program_text"):
        check(f"libeinfall.so exports {name}", name in names)
    code, _, errors = run(os.path.join(ROOT, "examples/host_cpp/build.sh"), library, out)
    check("host_cpp builds", code == 0, errors)
    if code:
        return
    code, text, errors = run(os.path.join(out, "host_cpp"))
    check("host_cpp agrees with the formula", code == 0, text + errors)
    check("host_cpp sees the diagnostic", "wrong.ein:1:" in text and "[ein-r4]" in text, text)
    misuse = os.path.join(out, "misuse")
    code, _, errors = run(CC, "-std=c11", "-Wall", "-Wextra", "-I", os.path.join(ROOT, "compiler/driver"), "-I",
                          os.path.join(ROOT, "runtime/include"), os.path.join(ROOT, "tests/host/misuse.c"), "-L", library,
                          "-leinfall", "-Wl,-rpath," + library, "-o", misuse)
    check("misuse builds", code == 0, errors)
    if code == 0:
        code, text, errors = run(misuse)
        for line in text.splitlines():
            check("misuse: " + line, line.startswith("ok "), line)
        check("misuse ends well", code == 0 and text.count("\n") > 10, f"{code} {text} {errors}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--einfall", default=os.path.join(ROOT, "build/bin/einfall"))
    parser.add_argument("--only", choices=["c", "cpp", "targets"], help="one part")
    options = parser.parse_args()
    einfall = os.path.abspath(options.einfall)
    library = os.path.join(os.path.dirname(os.path.dirname(einfall)), "lib")
    with tempfile.TemporaryDirectory() as out:
        if options.only in (None, "c"):
            host_c(einfall, os.path.join(out, "c"))
            if os.path.exists(os.path.join(out, "c/causal_gqa.h")):
                header(os.path.join(out, "c"))
        if options.only in (None, "targets"):
            targets(einfall, out)
        if options.only in (None, "cpp"):
            host_cpp(library, os.path.join(out, "cpp"))
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
