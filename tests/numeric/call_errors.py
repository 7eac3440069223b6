#!/usr/bin/env python3
"""Wrong calls and hostile files: one clear message each, the right exit code, no output touched.

    tests/numeric/call_errors.py [--einfall build/bin/einfall]

Every case names what the message must mention. Checked besides: exit code 1 (the input is wrong) or 2
(wrong use of the command line), nothing on standard output, exactly one error, no file created, an
existing output byte for byte as before, and never a signal.
"""
import argparse
import concurrent.futures
import io
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = []
OLD = b"an older result"


def add(label, change, expect, codes=(1,), cascade="attention", engines=("interp",)):
    for engine in engines:
        CASES.append((label, change, expect, codes, cascade, engine))


BOTH = ("interp", "cpu")


def rng():
    return np.random.default_rng(7)


def f32(*shape):
    return rng().standard_normal(shape).astype(np.float32)


def base(cascade):
    """A call that works: files by input name, options."""
    if cascade == "attention":
        return {"Q": f32(1, 2, 5, 8), "K": f32(1, 2, 6, 8), "V": f32(1, 2, 6, 4)}, []
    if cascade == "causal_gqa":
        bits = lambda *s: (f32(*s).view(np.uint32) >> 16).astype(np.uint16)
        return {"Q": bits(1, 4, 5, 8), "K": bits(1, 2, 6, 8), "V": bits(1, 2, 6, 4)}, []
    if cascade == "block_sparse":
        return {"Q": f32(1, 16, 8), "K": f32(1, 16, 8), "V": f32(1, 16, 4),
                "ptr": np.array([0, 1, 3], np.int32), "col": np.array([0, 0, 1], np.int32)}, \
            ["--rank", "A=8", "--rank", "C=8"]
    if cascade == "tree_decode":
        return {"Q": f32(1, 2, 3, 8), "K": f32(1, 2, 6, 8), "V": f32(1, 2, 6, 4), "Tree": np.eye(3, dtype=bool)}, []
    if cascade == "int4_decode":
        return {"Q": f32(1, 2, 8), "KQ": np.zeros((1, 2, 6, 4), np.uint8), "KS": f32(1, 2, 1, 8), "KZ": f32(1, 2, 1, 8),
                "VQ": np.zeros((1, 2, 6, 2), np.uint8), "VS": f32(1, 2, 6), "VZ": f32(1, 2, 6)}, []
    if cascade == "sliding_window":
        return {"Q": f32(1, 2, 5, 8), "K": f32(1, 2, 6, 8), "V": f32(1, 2, 6, 4)}, []
    if cascade == "paged_decode":
        return {"Q": f32(2, 2, 8), "KP": f32(4, 4, 1, 8), "VP": f32(4, 4, 1, 4),
                "page": np.array([[0, 1], [2, 3]], np.int32), "len": np.array([8, 3], np.int32)}, []
    raise KeyError(cascade)


# --- files: arrays that do not fit ----------------------------------------------------------------


def array(name, value, cascade="attention"):
    def change(call):
        call.files[name] = value
    return change


def shapes():
    add("channels differ", array("K", f32(1, 2, 6, 9)), ["E", "8", "9"], engines=BOTH)
    add("keys differ", array("V", f32(1, 2, 7, 4)), ["M", "6", "7"], engines=BOTH)
    add("heads differ", array("K", f32(1, 3, 6, 8)), ["H", "2", "3"], engines=BOTH)
    add("batch differs", array("V", f32(2, 2, 6, 4)), ["B", "1", "2"], engines=BOTH)
    add("too few ranks", array("Q", f32(2, 5, 8)), ["Q", "4", "3"], engines=BOTH)
    add("too many ranks", array("V", f32(1, 1, 2, 6, 4)), ["V", "4", "5"], engines=BOTH)
    add("a 0-d array for a tensor", array("Q", np.float32(3).reshape(())), ["Q"])
    add("heads no multiple", array("K", np.zeros((1, 3, 6, 8), np.uint16)), ["J"], cascade="causal_gqa", engines=BOTH)

    def odd_heads(call):
        call.files["Q"] = np.zeros((1, 6, 5, 8), np.uint16)
        call.files["K"], call.files["V"] = np.zeros((1, 4, 6, 8), np.uint16), np.zeros((1, 4, 6, 4), np.uint16)
    add("6 heads over 4", odd_heads, ["H", "6", "J", "4"], cascade="causal_gqa", engines=BOTH)
    add("list of rows too short", array("ptr", np.array([0, 1], np.int32)), ["R"], cascade="block_sparse", engines=BOTH)
    add("list of rows empty", array("ptr", np.zeros(0, np.int32)), ["ptr"], cascade="block_sparse", engines=BOTH)
    add("table not square", array("Tree", np.zeros((3, 4), bool)), ["3", "4"], cascade="tree_decode", engines=BOTH)
    add("scales of another group count", array("KS", f32(1, 2, 2, 8)), ["N"], cascade="int4_decode")
    add("packed int4 of half the size", array("KQ", np.zeros((1, 2, 6, 3), np.uint8)), ["E"], cascade="int4_decode")


def dtypes():
    add("f64 for f32", array("Q", f32(1, 2, 5, 8).astype(np.float64)), ["Q", "f32"], engines=BOTH)
    add("f16 for f32", array("K", f32(1, 2, 6, 8).astype(np.float16)), ["K", "f32"])
    add("i32 for f32", array("V", np.ones((1, 2, 6, 4), np.int32)), ["V", "f32"])
    add("f32 for bf16", array("Q", f32(1, 4, 5, 8)), ["Q", "bf16"], cascade="causal_gqa", engines=BOTH)
    add("bytes for bf16", array("Q", np.zeros((1, 4, 5, 8), np.uint8)), ["Q", "bf16"], cascade="causal_gqa")
    add("i64 for i32", array("len", np.array([8, 3], np.int64)), ["len", "i32"], cascade="paged_decode")
    add("f32 for i32", array("page", np.zeros((2, 2), np.float32)), ["page", "i32"], cascade="paged_decode")
    add("i8 for packed int4", array("KQ", np.zeros((1, 2, 6, 4), np.float32)), ["KQ"], cascade="int4_decode")
    add("f32 for bool", array("Tree", np.zeros((3, 3), np.float32)), ["Tree", "bool"], cascade="tree_decode")
    add("big endian", array("Q", f32(1, 2, 5, 8).astype(">f4")), ["Q"])
    add("complex", array("Q", np.zeros((1, 2, 5, 8), np.complex64)), ["Q"])
    add("text", array("Q", np.full((1, 2, 5, 8), "x")), ["Q"])
    add("a structure", array("Q", np.zeros((1, 2, 5, 8), [("a", "<f4"), ("b", "<f4")])), ["Q"])
    add("dates", array("Q", np.zeros((1, 2, 5, 8), "M8[s]")), ["Q"])
    add("column order", array("Q", np.asfortranarray(f32(1, 2, 5, 8))), ["Q"])


# --- files: bytes that are no array ---------------------------------------------------------------


def npy(header, payload=b"", version=(1, 0), length=None):
    text = header.encode("latin-1") if isinstance(header, str) else header
    size = len(text) if length is None else length
    prefix = b"\x93NUMPY" + bytes(version)
    return prefix + struct.pack("<H" if version[0] == 1 else "<I", size) + text + payload


def raw(content, name="Q"):
    def change(call):
        call.files[name] = content
    return change


def whole(a):
    buffer = io.BytesIO()
    np.save(buffer, a)
    return buffer.getvalue()


def hostile():
    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 5, 8), }"
    data = f32(1, 2, 5, 8).tobytes()
    for label, content in {
        "an empty file": b"",
        "five bytes": b"\x93NUMP",
        "only the magic": b"\x93NUMPY",
        "another magic": b"PK\x03\x04" + bytes(200),
        "a text file": b"hello, world\n" * 20,
        "version 0": npy(good, data, (0, 0)),
        "version 9": npy(good, data, (9, 1)),
        "a header beyond the end": npy(good, b"", length=60000),
        "a header of four gigabytes": npy(good, data, (2, 0), length=0xFFFFFFFF),
        "an empty header": npy("", data),
        "a header that is a list": npy("[1, 2, 3]\n", data),
        "a header without type": npy("{'fortran_order': False, 'shape': (1, 2, 5, 8)}", data),
        "a header without shape": npy("{'descr': '<f4', 'fortran_order': False}", data),
        "a header without order": npy("{'descr': '<f4', 'shape': (1, 2, 5, 8)}", data),
        "an unfinished header": npy(good[:40], data),
        "an order that is no bool": npy(good.replace("False", "'no'"), data),
        "a negative extent": npy(good.replace("5", "-5"), data),
        "a fractional extent": npy(good.replace("5", "5.5"), data),
        "a shape that is a number": npy(good.replace("(1, 2, 5, 8)", "80"), data),
        "a shape that is text": npy(good.replace("(1, 2, 5, 8)", "'1, 2, 5, 8'"), data),
        "an extent of 2^63": npy(good.replace("5", str(2 ** 63)), data),
        "an extent of 60 digits": npy(good.replace("5", "9" * 60), data),
        "a product that overflows": npy(good.replace("(1, 2, 5, 8)", "(4294967296, 4294967296, 4294967296, 8)"), data),
        "a million nested parentheses": npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 20000 + "}", data),
        "forty extents": npy(good.replace("(1, 2, 5, 8)", "(" + "1, " * 40 + ")"), data),
        "code in the header": npy("{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (1,)}", data),
        "bytes in the header": npy(b"\xff\x00\xfe" * 30, data),
        "an unknown type": npy(good.replace("<f4", "<q9"), data),
        "a type without order": npy(good.replace("<f4", "f"), data),
        "an object array": npy(good.replace("<f4", "|O"), data),
        "half the data": npy(good, data[:len(data) // 2]),
        "one byte short": npy(good, data[:-1]),
        "no data": npy(good),
    }.items():
        add(label, raw(content), ["Q"])
    add("half the data on the CPU", raw(whole(f32(1, 2, 5, 8))[:-100]), ["Q"], engines=("cpu",))


# --- names, options, sources ----------------------------------------------------------------------


def option(*words):
    def change(call):
        call.options += list(words)
    return change


def source(name, text):
    def change(call):
        call.files[name] = text
    return change


def without(name):
    def change(call):
        del call.files[name]
    return change


def words():
    add("an input is missing", without("K"), ["K"], engines=BOTH, codes=(1, 2))
    add("an unknown input", option("--in", "Z=1"), ["Z"], codes=(1, 2))
    add("an output given as input", option("--in", "O=1"), ["O"], codes=(1, 2))
    add("an intermediate given as input", option("--in", "S=1"), ["S"], codes=(1, 2))
    add("an input without value", option("--in", "scale"), ["scale"], codes=(1, 2))
    add("an input with an empty value", option("--in", "scale="), ["scale"], codes=(1, 2))
    add("an input twice", option("--in", "scale=1", "--in", "scale=2"), ["scale"], codes=(1, 2))
    add("a scalar that is no number", option("--in", "scale=fast"), ["scale"], codes=(1, 2))
    add("no such file", source("Q", "nowhere.npy"), ["nowhere.npy"])
    add("a folder as file", source("Q", "."), [])
    add("a device as file", source("Q", "/dev/null"), ["null"])
    add("an unknown generator", source("Q", "@gauss"), ["gauss"], codes=(1, 2))
    add("a generator without extents", lambda call: call.files.update(Q="@normal", K="@normal", V="@normal"),
        ["rank"], codes=(1, 2))
    add("an unknown rank", option("--rank", "Y=3"), ["Y"], codes=(1, 2))
    add("a rank that is no number", option("--rank", "E=wide"), ["E"], codes=(1, 2))
    add("a rank without value", option("--rank", "E"), ["E"], codes=(1, 2))
    add("a negative rank", option("--rank", "E=-8"), ["E"], codes=(1, 2))
    add("a rank of 40 digits", option("--rank", "E=" + "8" * 40), ["E"], codes=(1, 2))
    add("a rank against the files", option("--rank", "E=9"), ["E", "8", "9"], engines=BOTH)
    add("a split part of extent 0", option("--rank", "C=0"), ["C"], cascade="block_sparse", codes=(1, 2))
    add("an unknown parameter", option("--param", "depth=3"), ["depth"], codes=(1, 2))
    add("a parameter that is a tensor", option("--param", "Q=3"), ["Q"], codes=(1, 2))
    add("a parameter that is no number", option("--param", "window=wide"), ["window"], cascade="sliding_window", codes=(1, 2))
    add("a fractional index parameter", option("--param", "window=2.5"), ["window"], cascade="sliding_window", codes=(1, 2))
    add("a parameter without value", option("--param", "window"), ["window"], cascade="sliding_window", codes=(1, 2))
    add("an unknown type", option("--dtype", "Q=f33"), ["f33"], codes=(1, 2))
    add("a type for an unknown tensor", option("--dtype", "Z=f32"), ["Z"], codes=(1, 2))
    add("a type without value", option("--dtype", "Q"), ["Q"], codes=(1, 2))
    add("an unknown type for all", option("--dtype", "all=float"), ["float"], codes=(1, 2))
    add("another type than the file", option("--dtype", "Q=f16"), ["Q", "f16"], engines=BOTH)
    add("an unknown engine", option("--engine", "tpu"), ["tpu"], codes=(1, 2))
    add("an unknown cascade", option("--entry", "nothing"), ["nothing"], codes=(1, 2))
    add("an unknown target", option("--target", "z80"), ["z80"], codes=(1, 2), engines=("cpu",))
    add("no threads", option("--threads", "0"), ["threads"], codes=(1, 2))
    add("threads that are no number", option("--threads", "many"), ["threads"], codes=(1, 2))
    add("an unknown option", option("--fast"), ["fast"], codes=(2,))
    add("an unknown output", option("--out", "Z=z.npy"), ["Z"], codes=(1, 2))
    add("an input as output", option("--out", "Q=q.npy"), ["Q"], codes=(1, 2))
    add("an output without file", option("--out", "O"), ["O"], codes=(1, 2))
    add("an output in no folder", lambda call: call.outputs.update(O="nowhere/o.npy"), ["nowhere"], engines=BOTH)
    add("an output below a file", lambda call: call.outputs.update(O="V.npy/o.npy"), ["V.npy"])
    add("an output that is a folder", lambda call: call.outputs.update(O="folder"), ["folder"])
    add("fused is required of a selection", option("--require", "anything"), ["require"], codes=(1, 2))


def texts():
    def text(content):
        def change(call):
            call.text = content
        return change
    header = "cascade c(Q[P,E] : f32, K[M,E] : f32) -> (O[P] : f32) "
    add("no such program", text(None), ["absent.ein"], codes=(1, 2))
    add("an empty program", text(""), ["error"])
    add("a program of NUL bytes", text("\0" * 100), ["error"])
    add("two cascades and no entry", text("".join(
        f"cascade {n}(A[I] : f32) -> (O[I] : f32) {{ O[i] = A[i] }}\n" for n in "ab")), ["entry"], codes=(1, 2))
    add("a line that breaks off", text(header + "{ O[p] = Q[p,e] * "), ["ein-r1"])
    add("an undefined name", text(header + "{ O[p] = Q[p,e] * L[p,e] }"), ["L", "ein-r4"])
    add("nested beyond reason", text(header + "{ O[p] = " + "(" * 5000 + "1" + ")" * 5000 + " }"), ["ein-r1"])


shapes()
dtypes()
hostile()
words()
texts()


class Call:
    def __init__(self, cascade):
        self.files, self.options = base(cascade)
        self.outputs = {"O": "o.npy"}
        self.text = False


def run(program, item, folder):
    label, change, expect, codes, cascade, engine = item
    call = Call(cascade)
    change(call)
    folder.mkdir()
    (folder / "folder").mkdir()
    if call.text is False:
        path = str(ROOT / "examples" / f"{cascade}.ein")
    else:
        path = "program.ein" if call.text is not None else "absent.ein"
        if call.text is not None:
            (folder / path).write_text(call.text)
    command = [program, "run", path]
    for name, content in call.files.items() if call.text is False else ():
        where = content
        if not isinstance(content, str):
            where = f"{name}.npy"
            (folder / where).write_bytes(content if isinstance(content, bytes) else whole_file(content))
        command += ["--in", f"{name}={where}"]
    for name, where in call.outputs.items():
        command += ["--out", f"{name}={where}"]
    if "--engine" not in call.options:
        command += ["--engine", engine]
    (folder / "o.npy").write_bytes(OLD)
    before = sorted(str(p) for p in folder.rglob("*"))
    try:
        done = subprocess.run(command + call.options, cwd=folder, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "no answer in 60 s"
    message = done.stderr.decode(errors="replace")
    if done.returncode not in codes:
        return f"exit code {done.returncode}, expected {' or '.join(map(str, codes))}: {message.strip()[:200]}"
    if done.stdout:
        return f"standard output holds {done.stdout[:80]!r}"
    if not message.strip():
        return "no message"
    if len(message) > 4000:
        return f"a message of {len(message)} bytes"
    errors = len(re.findall(r"\berror:", message))
    if errors > 1:
        return f"{errors} errors for one mistake: {message.strip()[:300]}"
    missing = [w for w in expect if not re.search(r"(?<![A-Za-z0-9_])" + re.escape(w) + r"(?![A-Za-z0-9_])", message)]
    if missing:
        return f"the message does not mention {', '.join(missing)}: {message.strip()[:300]}"
    if sorted(str(p) for p in folder.rglob("*")) != before:
        return "a file was created or removed"
    if (folder / "o.npy").read_bytes() != OLD:
        return "the old output was touched"
    return None


def whole_file(content):
    buffer = io.BytesIO()
    np.save(buffer, content)
    return buffer.getvalue()


def permitted(program, folder, engine):
    """Indices out of range in data are no error in unchecked mode: such points do not exist."""
    files, options = base("paged_decode")
    files["page"] = np.array([[0, 99], [-7, 3]], np.int32)
    folder.mkdir()
    command = [program, "run", str(ROOT / "examples" / "paged_decode.ein"), "--engine", engine, *options]
    for name, content in files.items():
        (folder / f"{name}.npy").write_bytes(whole_file(content))
        command += ["--in", f"{name}={folder / name}.npy"]
    done = subprocess.run(command + ["--out", f"O={folder / 'o.npy'}"], capture_output=True, timeout=60)
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()[:200]}"
    got = np.load(folder / "o.npy")
    q, k, v = files["Q"][0].astype(float), files["KP"][0, :, 0].astype(float), files["VP"][0, :, 0].astype(float)
    scores = q @ k.T / np.sqrt(8)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    want = weights @ v / weights.sum(1, keepdims=True)      # only page 0 is real
    if not np.allclose(got[0], want, rtol=1e-4, atol=1e-5) or got[1].any():
        return "a page outside the cache is not treated as missing"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    program = str(pathlib.Path(args.einfall).resolve())
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        scratch = pathlib.Path(scratch)
        jobs = [(f"{c[0]} ({c[4]}, {c[5]})", pool.submit(run, program, c, scratch / str(i))) for i, c in enumerate(CASES)]
        jobs += [(f"pages out of range ({e})", pool.submit(permitted, program, scratch / f"good_{e}", e)) for e in BOTH]
        for label, job in jobs:
            complaint = job.result()
            if complaint:
                failed += 1
                print(f"FAIL {label}: {complaint}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
