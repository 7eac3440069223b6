"""Prepares, runs and compares one cascade: both engines against an independent float64 reference."""
import sys, subprocess, pathlib, tempfile, zlib, json, concurrent.futures, argparse, re
import numpy as np
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "numeric"))
import formats
inf = np.inf
CASES = []
class NS(dict):
    __getattr__ = dict.__getitem__
def rng_for(name): return np.random.default_rng(zlib.crc32(name.encode()))
def case(name, text, inputs, ref, args=(), bf=True, passes=None, barrier=None, tol=None, flags=()):
    """inputs: dict or callable(rng)->dict; ref: callable(NS)->dict of arrays (empty points already 0)."""
    CASES.append(dict(name=name, text=text, inputs=inputs, ref=ref, args=list(args), bf=bf, passes=passes, barrier=barrier, tol=tol))
def sm(S, mask=None, axis=-1):
    if mask is not None: S = np.where(mask, S, -inf)
    X = S.max(axis, keepdims=True, initial=-inf)
    N = np.where(np.isinf(S) & (S < 0), 0, np.exp(S - np.where(np.isfinite(X), X, 0)))
    D = N.sum(axis, keepdims=True)
    return np.where(D > 0, N / np.where(D > 0, D, 1), 0)
def lse(S, mask=None, axis=-1):
    if mask is not None: S = np.where(mask, S, -inf)
    X = S.max(axis, initial=-inf)
    X0 = np.where(np.isfinite(X), X, 0)
    with np.errstate(all="ignore"):
        return X0 + np.log(np.where(np.isneginf(S), 0, np.exp(S - np.expand_dims(X0, axis))).sum(axis))
def rms(x): return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0
def compare(got, want, limit):
    if got.shape != want.shape: return f"shape {got.shape} want {want.shape}"
    k = ~np.isnan(want); got, want = got[k], want[k]
    w = np.isinf(want)
    if not np.array_equal(got[w], want[w]): return "inf mismatch"
    got, want = got[~w], want[~w]
    if not np.isfinite(got).all(): return f"{int((~np.isfinite(got)).sum())} of {got.size} not finite"
    s = rms(want); e = rms(got - want) / s if s else float(np.abs(got).max(initial=0) > 0)
    return None if e <= limit else f"rel err {e:.2e} (limit {limit:.1e})"
def prepare(c, folder):
    folder.mkdir(exist_ok=True, parents=True)
    p = folder / (c["name"] + ".ein"); p.write_text(c["text"])
    data = c["inputs"](rng_for(c["name"])) if callable(c["inputs"]) else dict(c["inputs"])
    names = re.findall(r"\bcascade\s+(\w+)", c["text"]); entry = c.get("entry") or names[-1]
    ins, outs = formats.header(c["text"], entry)
    return p, data, ins, outs, entry
def execute(prog, c, folder, engine, over=None, threads=1):
    """returns (outputs dict, rounded inputs) or error string"""
    p, data, ins, outs, entry = prepare(c, folder)
    FL = ("f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2")
    kindof = lambda k: over if over and k in FL else k
    cmd = [prog, "run", str(p), "--entry", entry, "--engine", engine, "--threads", str(threads)] + c["args"]
    if over: cmd += ["--dtype", f"all={over}"]
    seen = NS()
    for n, ranks, kind, default in ins:
        if n not in data: continue
        v = data[n]
        if ranks is None: seen[n] = v; cmd += ["--in", f"{n}={v!r}"]; continue
        st, val = formats.encode(v, kindof(kind)); seen[n] = val
        f = folder / f"{c['name']}.{n}.{over}.{engine}.npy"; formats.save(f, st); cmd += ["--in", f"{n}={f}"]
    seen.update({k: v for k, v in data.items() if k not in seen})
    of = {}
    for n, ranks, kind, _ in outs:
        of[n] = folder / f"{c['name']}.out.{n}.{engine}.{over}.{threads}.npy"; cmd += ["--out", f"{n}={of[n]}"]
        if of[n].exists(): of[n].unlink()
    try: d = subprocess.run(cmd, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired: return "TIMEOUT", seen, cmd
    if d.returncode: return f"exit {d.returncode}: " + " | ".join(d.stderr.strip().splitlines()[:4]), seen, cmd
    res = {}
    for n, ranks, kind, _ in outs:
        k = kindof(kind); a = np.load(of[n])
        if k == "i4":
            lo = (a & 15).astype(np.int8); hi = (a >> 4).astype(np.int8)
            a = np.stack([lo, hi], -1).reshape(*a.shape[:-1], -1); a = np.where(a > 7, a - 16, a).astype(float)
        else: a = formats.decode(a, k)
        res[n] = a
    return res, seen, cmd
def ltol(kind, want, base):
    if kind in ("f16", "bf16", "f8e4m3", "f8e5m2"):
        r = formats.round_to(want[np.isfinite(want)], kind); x = rms(want[np.isfinite(want)])
        return base + 1.5 * (rms(r - want[np.isfinite(want)]) / x if x else 0)
    return base
def test(prog, c, folder, modes):
    fails = []
    with np.errstate(all="ignore"):
        _, data, ins, outs, entry = prepare(c, folder)
        kinds = {n: k for n, _, k, _ in outs}
        r, seen, cmd = execute(prog, c, folder, "interp")
        if isinstance(r, str): return [("interp", r, cmd)], 0
        n = 1
        try: want = {k: np.asarray(v, np.float64) for k, v in c["ref"](seen).items()}
        except Exception as ex: return [("REF", repr(ex), cmd)], 0
        for k in kinds:
            if k not in want: continue
            m = compare(np.asarray(r[k], np.float64)[..., :want[k].shape[-1]] if kinds[k] == "i4" else r[k], want[k], ltol(kinds[k], want[k], 2e-6))
            if m: fails.append(("interp", f"{k}: {m}", cmd))
        r1, _, cmd = execute(prog, c, folder, "cpu")
        n += 1
        if isinstance(r1, str): fails.append(("cpu", r1, cmd)); return fails, n
        for k in kinds:
            if k not in want: m = compare(r1[k], r[k], 1e-5)
            else: m = compare(r1[k][..., :want[k].shape[-1]] if kinds[k] == "i4" else r1[k], want[k], ltol(kinds[k], want[k], c["tol"] or 1e-5))
            if m: fails.append(("cpu", f"{k}: {m}", cmd))
        if "t2" in modes:
            r2, _, cmd = execute(prog, c, folder, "cpu", threads=2); n += 1
            if isinstance(r2, str): fails.append(("cpu-t2", r2, cmd))
            else:
                for k in kinds:
                    m = compare(r2[k], r1[k], 1e-6)
                    if m: fails.append(("cpu-t2", f"{k}: {m}", cmd))
        for over in ("bf16", "f16", "f64"):
            if over not in modes or not c["bf"]: continue
            ri, si, cmd = execute(prog, c, folder, "interp", over); rc, _, cmd2 = execute(prog, c, folder, "cpu", over); n += 1
            if isinstance(ri, str): fails.append((f"interp-{over}", ri, cmd)); continue
            if isinstance(rc, str): fails.append((f"cpu-{over}", rc, cmd2)); continue
            try: w = {k: np.asarray(v, np.float64) for k, v in c["ref"](si).items()}
            except Exception as ex: w = {}
            for k in kinds:
                kk = over if kinds[k] in ("f64","f32","f16","bf16") else kinds[k]
                b = 1e-5 if over == "f64" else 1e-5
                if k in w and kinds[k] != "i4":
                    m = compare(ri[k], w[k], ltol(kk, w[k], 2e-6))
                    if m: fails.append((f"interp-{over}", f"{k}: {m}", cmd))
                m = compare(rc[k], ri[k] if k not in w or kinds[k]=="i4" else (w[k] if kinds[k] != "i4" else ri[k]), ltol(kk, w[k] if k in w else ri[k], b if k in w else 2e-3))
                if m: fails.append((f"cpu-{over}", f"{k}: {m}", cmd2))
        if c["passes"] is not None or c["barrier"]:
            n += 1
            d = subprocess.run([prog, "explain", "--json", str(folder / (c["name"] + ".ein")), "--entry", entry], capture_output=True, text=True, timeout=60)
            if d.returncode: fails.append(("explain", f"exit {d.returncode} {d.stderr[:200]}", []))
            else:
                s = json.loads(d.stdout)
                if c["passes"]:
                    rank, src, der = c["passes"]
                    got = s["source"]["passes"].get(rank), s["derived"]["passes"].get(rank)
                    if (src is not None and got[0] != src) or got[1] != der: fails.append(("passes", f"{rank}: source {got[0]} (want {src}) derived {got[1]} (want {der})", [str(s["barriers"])[:300]]))
                    if der == 1 and s["materialised"]: fails.append(("passes", "materialised " + ",".join(m["tensor"] for m in s["materialised"]), []))
                if c["barrier"]:
                    if not [b for b in s["barriers"] if b["rank"] == c["barrier"] and b["why"]]: fails.append(("barrier", f"none over {c['barrier']} named; passes {s['source']['passes']} {s['derived']['passes']}", []))
    return fails, n
