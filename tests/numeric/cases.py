"""Inputs of every example: odd sizes, empty rows, masked points full of NaN, extreme logits.

`CASES[name](rng)` yields variants: (label, arrays by input name, options), where options may hold
`ranks`, `params` and `scalars`. Arrays are float64 or integers; run.py rounds them to the declared
types. Token counts follow SIZES; heads and channels stay small, so that brute force is affordable.
"""
import numpy as np

SIZES = (1, 7, 63, 65, 127)
SHORT = (1, 7, 33, 65)
CASES = {}


def case(*names):
    def register(function):
        for name in names:
            CASES[name] = function
        return function
    return register


def normal(rng, *shape):
    return rng.standard_normal(shape)


def eighths(rng, *shape):
    """Multiples of 1/8: products and their sums are exact in f32, so selections have one answer."""
    return rng.integers(-16, 17, shape) / 8.0


def qkv(rng, B=1, H=2, P=7, M=7, E=16, F=8, J=None, draw=normal):
    J = H if J is None else J
    return {"Q": draw(rng, B, H, P, E), "K": draw(rng, B, J, M, E), "V": normal(rng, B, J, M, F)}


def extreme(rng, data, queries=("Q",), keys=("K",)):
    """Scores up to about +-1e4, exact in f32: integers, and a scale that is a power of two."""
    out = dict(data)
    for name in (*queries, *keys):
        out[name] = rng.integers(-60, 61, data[name].shape).astype(float)
    return out


def level(data, queries=("Q",), keys=("K",)):
    """All scores -120 (16 channels, scale 1/4): exp of them is no f32 number."""
    out = dict(data)
    for name in queries:
        out[name] = np.full(data[name].shape, -6.0)
    for name in keys:
        out[name] = np.full(data[name].shape, 5.0)
    return out


def dense_variants(rng, causal, group=1, hard=True):
    """(label, q k v) for a dense variant."""
    for n in SIZES:
        yield f"{n}x{n}", qkv(rng, 1 + (n == 7), 2 * group, n, n, J=2)
    yield "odd channels", qkv(rng, 2, 3 * group, 9, 20, 13, 5, J=3)
    yield "few queries", qkv(rng, 1, 2 * group, 3, 130, J=2)
    if causal:
        data = qkv(rng, 1, 2 * group, 30, 11, J=2)
        data["Q"][:, :, :19] = np.nan          # rows before the first key read nothing
        yield "empty rows", data
    if hard:
        data = qkv(rng, 1, 2 * group, 33, 70, J=2)
        yield "extreme", extreme(rng, data)
        yield "all -120", level(data)


def dense(causal, group=1, hard=True, extra=None):
    def variants(rng):
        for label, data in dense_variants(rng, causal, group, hard):
            yield label, {**data, **(extra(rng, data) if extra else {})}, {}
        scaled = qkv(rng, 1, 2 * group, 9, 12, J=2)
        yield "scale", {**scaled, **(extra(rng, scaled) if extra else {})}, {"scalars": {"scale": 0.375}}
    return variants


case("attention", "deferred_division")(dense(False))
case("unstable_softmax", "relu_attention", "row_entropy", "stats")(dense(False, hard=False))
case("causal_gqa")(dense(True, group=3))
case("local_max")(dense(True))
case("base2")(dense(True, hard=False))
case("softcap")(dense(True, group=2, hard=False))
case("rope_attention")(lambda rng: (v for v in dense(True, group=2, hard=False)(rng) if v[0] != "odd channels"))
case("alibi")(dense(True))
case("sigmoid_attention")(dense(True, hard=False))
case("sink_logit")(dense(True, group=2, extra=lambda rng, d: {     # beside scores of -120 the sink lies there too
    "Sink": normal(rng, d["Q"].shape[1]) - 120.0 * (d["Q"] == -6.0).all()}))
case("row_temperature")(dense(True, hard=False, extra=lambda rng, d: {"Tau": rng.uniform(0.4, 3, d["Q"].shape[:3])}))
case("gated_attention")(dense(True, extra=lambda rng, d: {"Gate": normal(rng, *d["Q"].shape[:3], d["V"].shape[3])}))
case("two_values")(dense(False, extra=lambda rng, d: {"W": normal(rng, *d["V"].shape[:3], 3)}))
case("qk_norm")(dense(True, hard=False, extra=lambda rng, d: {
    "GQ": rng.uniform(0.5, 2, d["Q"].shape[3]), "GK": rng.uniform(0.5, 2, d["Q"].shape[3])}))
case("parallax")(dense(True, hard=False, extra=lambda rng, d: {"R": 0.2 * normal(rng, *d["Q"].shape)}))
case("talking_heads")(dense(False, hard=False, extra=lambda rng, d: {
    "WL": normal(rng, 3, d["Q"].shape[1]), "WA": normal(rng, d["V"].shape[1], 3)}))


@case("differential")
def _(rng):
    for label, d in dense_variants(rng, True, hard=False):
        e = qkv(rng, *d["Q"].shape[:3], M=d["K"].shape[2], E=d["Q"].shape[3], J=d["K"].shape[1])
        yield label, {"Q1": d["Q"], "K1": d["K"], "Q2": e["Q"], "K2": e["K"], "V": d["V"],
                      "Lambda": rng.uniform(0.1, 0.9, d["Q"].shape[1])}, {}


@case("mla")
def _(rng):
    for P, M in ((1, 1), (7, 7), (1, 127), (33, 65), (12, 5)):
        H, L, R, F = 4, 24, 8, 12
        yield f"{P}x{M}", {"QL": normal(rng, 1, H, P, L), "QR": normal(rng, 1, H, P, R), "C": normal(rng, 1, M, L),
                           "KR": normal(rng, 1, M, R), "WV": normal(rng, H, L, F) / 5}, {}


@case("prefix_lm")
def _(rng):
    for n in SIZES:
        yield f"{n}", {**qkv(rng, 2, 2, n, n), "prefix": np.array([n // 2, 0])}, {}


@case("joint_softmax")
def _(rng):
    for P, L, M in ((1, 1, 1), (7, 3, 5), (63, 65, 1), (5, 0, 9), (33, 77, 50)):
        a, b = qkv(rng, 1, 2, P, L), qkv(rng, 1, 2, P, M)
        data = {"Q": a["Q"], "K1": a["K"], "V1": a["V"], "K2": b["K"], "V2": b["V"]}
        yield f"{P}x({L}+{M})", data, {}
    yield "extreme", extreme(rng, data, keys=("K1", "K2")), {}


@case("logsumexp")
def _(rng):
    for n in SIZES:
        yield f"{n}", {"Q": normal(rng, 2, n, 16), "K": normal(rng, 2, 128 - n, 16)}, {}
    yield "extreme", {"Q": rng.integers(-60, 61, (1, 9, 16)), "K": rng.integers(-60, 61, (1, 50, 16))}, {}


@case("additive_attention")
def _(rng):
    for P, M, lengths in ((1, 1, (1, 1)), (7, 9, (9, 4)), (33, 65, (65, 0)), (5, 40, (1, 39))):
        K, V = normal(rng, 2, M, 11), normal(rng, 2, M, 6)
        for b, n in enumerate(lengths):
            K[b, n:] = V[b, n:] = np.nan
        yield f"{P}x{M}", {"Q": normal(rng, 2, P, 11), "K": K, "V": V, "W": normal(rng, 11), "len": np.array(lengths)}, {}


@case("squared_relu")
def _(rng):
    for n in SIZES:
        yield f"{n}", {"Q": normal(rng, 2, n, 16), "K": normal(rng, 2, n, 16), "V": normal(rng, 2, n, 24),
                       "Gate": normal(rng, 2, n, 24)}, {}


@case("forgetting")
def _(rng):
    for n in SHORT:
        yield f"{n}", {**qkv(rng, 1, 2, n, n), "LogF": np.log(rng.uniform(0.6, 0.999, (1, 2, n)))}, {}


@case("stick_breaking")
def _(rng):
    for n in SHORT:
        yield f"{n}", qkv(rng, 1, 2, n, n), {}


# --- static masks ------------------------------------------------------------------------------


@case("sliding_window")
def _(rng):
    for n, w in zip(SIZES, (1, 3, 16, 200, 31)):
        yield f"{n} window {w}", qkv(rng, 1, 4, n, n, J=2), {"params": {"window": w}}
    data = qkv(rng, 1, 4, 5, 90, J=2)
    data["K"][:, :, :90 - 5 - 20 + 1] = data["V"][:, :, :90 - 5 - 20 + 1] = np.nan
    yield "NaN before the window", data, {"params": {"window": 20}}
    yield "extreme", extreme(rng, qkv(rng, 1, 4, 33, 70, J=2)), {"params": {"window": 9}}


@case("streaming_llm")
def _(rng):
    for n in SIZES:
        yield f"{n}", qkv(rng, 1, 4, n, n, J=2), {"params": {"window": 24}}
    data = qkv(rng, 1, 4, 3, 100, J=2)
    data["K"][:, :, 4:86] = data["V"][:, :, 4:86] = np.nan
    yield "NaN in the gap", data, {"params": {"window": 12}}


@case("dilated")
def _(rng):
    for n in SIZES:
        yield f"{n}", qkv(rng, 1, 2, n, n), {"params": {"window": 5, "dilation": 3}}


@case("strided_sparse")
def _(rng):
    for n in SIZES:
        yield f"{n}", qkv(rng, 1, 2, n, n), {"params": {"stride": 10}}


@case("context_sharding")
def _(rng):
    for n in SIZES:
        yield f"{n}", qkv(rng, 1, 4, n, n), {"params": {"block": 8}}


@case("longlora")
def _(rng):
    for n in SIZES:
        yield f"{n}", qkv(rng, 1, 4, n, n), {"params": {"group": 16}}


def _documents(rng, lengths, tail=0):
    T = sum(lengths) + tail
    draw = lambda c: normal(rng, T, 2, c)
    return {"Q": draw(16), "K": draw(16), "V": draw(8), "cu": np.concatenate([[0], np.cumsum(lengths)])}


@case("packed_documents", "packed_bidirectional")
def _(rng):
    yield "one token", _documents(rng, [1]), {}
    yield "three", _documents(rng, [7, 1, 63]), {}
    yield "empty documents", _documents(rng, [0, 20, 0, 0, 45, 0]), {}
    yield "no document", _documents(rng, [], 9), {}
    yield "rest", _documents(rng, [30, 35], 11), {}
    data = _documents(rng, [16, 17, 30])
    data["K"][16:33] = data["V"][16:33] = data["Q"][16:33] = np.nan
    yield "NaN in one document", data, {}


@case("padded_encoder")
def _(rng):
    for n in SIZES:
        data = {**qkv(rng, 3, 2, 9, n), "len": np.array([n, n // 2, 0])}
        for b, m in enumerate(data["len"]):
            data["K"][b, :, m:] = data["V"][b, :, m:] = np.nan
        yield f"9x{n}", data, {}
    hard = qkv(rng, 2, 2, 20, 40)
    yield "extreme", {**extreme(rng, hard), "len": np.array([40, 13])}, {}
    yield "all -120", {**level(hard), "len": np.array([40, 13])}, {}
    yield "longer than the rank", {**hard, "len": np.array([1000, -3])}, {}


@case("tree_decode")
def _(rng):
    for P, M in ((1, 1), (7, 40), (9, 9), (13, 127)):
        parent = [int(rng.integers(0, i)) if i else -1 for i in range(P)]
        tree = np.zeros((P, P), bool)
        for i in range(P):
            j = i
            while j >= 0:
                tree[i, j] = True
                j = parent[j]
        yield f"{P}x{M}", {**qkv(rng, 1, 4, P, M, J=2), "Tree": tree}, {}
    yield "no ancestors", {**qkv(rng, 1, 4, 5, 5, J=2), "Tree": np.eye(5, k=-1, dtype=bool)}, {}


@case("block_sparse")
def _(rng):
    for P, M, A, C in ((1, 1, 4, 4), (7, 20, 4, 8), (33, 65, 8, 16), (40, 24, 16, 8)):
        rows, blocks = -(-P // A), -(-M // C)
        lists = [sorted(rng.choice(blocks, int(rng.integers(0, blocks + 1)), replace=False)) for _ in range(rows)]
        ptr, col = np.cumsum([0] + [len(x) for x in lists]), np.array([c for x in lists for c in x], int)
        data = {"Q": normal(rng, 2, P, 16), "K": normal(rng, 2, M, 16), "V": normal(rng, 2, M, 8), "ptr": ptr, "col": col}
        for c in set(range(blocks)) - set(col.tolist()):
            data["K"][:, c * C:(c + 1) * C] = data["V"][:, c * C:(c + 1) * C] = np.nan
        yield f"{P}x{M}", data, {"ranks": {"A": A, "C": C}}


@case("natten_1d")
def _(rng):
    for X, w in ((1, 3), (7, 7), (10, 4), (63, 9), (65, 1)):
        draw = lambda c: normal(rng, 2, X, 2, c)
        yield f"{X} window {w}", {"Q": draw(16), "K": draw(16), "V": draw(8)}, {"params": {"window": w}}


@case("natten_2d")
def _(rng):
    for X, Y, w, d in ((1, 1, 3, 1), (7, 5, 3, 1), (9, 11, 3, 2), (6, 13, 2, 3), (8, 8, 5, 2)):
        draw = lambda c: normal(rng, 1, X, Y, 2, c)
        yield f"{X}x{Y} window {w} dilation {d}", {"Q": draw(8), "K": draw(8), "V": draw(6)}, {
            "params": {"window": w, "dilation": d}}


@case("natten_3d")
def _(rng):
    for T, X, Y, f, w in ((1, 1, 1, 3, 3), (5, 4, 3, 2, 3), (4, 5, 6, 9, 2)):
        draw = lambda c: normal(rng, 1, T, X, Y, 1, c)
        yield f"{T}x{X}x{Y}", {"Q": draw(8), "K": draw(8), "V": draw(5)}, {"params": {"frames": f, "window": w}}


@case("swin")
def _(rng):
    for X, Y, w, s in ((4, 4, 4, 0), (8, 12, 4, 2), (9, 6, 3, 1)):
        draw = lambda c: normal(rng, 1, X, Y, 2, c)
        yield f"{X}x{Y} window {w}", {"Q": draw(8), "K": draw(8), "V": draw(6),
                                      "Bias": normal(rng, 2, 2 * w - 1, 2 * w - 1)}, {"params": {"window": w, "shift": s}}


@case("axial")
def _(rng):
    for X, Y in ((1, 1), (7, 5), (13, 9)):
        draw = lambda c: normal(rng, 2, X, Y, 2, c)
        yield f"{X}x{Y}", {"Q": draw(16), "K": draw(16), "V": draw(8)}, {}


# --- selections --------------------------------------------------------------------------------


@case("moba")
def _(rng):
    for n, k in zip(SIZES, (3, 2, 3, 1, 4)):
        yield f"{n} k {k}", qkv(rng, 1, 2, n, n, draw=eighths), {"ranks": {"C": 16}, "params": {"k": k}}


@case("topk_attention")
def _(rng):
    for (P, M), k in zip(((1, 1), (7, 7), (63, 63), (5, 127), (20, 9)), (8, 3, 8, 20, 2)):
        yield f"{P}x{M} k {k}", qkv(rng, 1, 2, P, M, draw=eighths), {"params": {"k": k}}


@case("native_sparse")
def _(rng):
    for n in SHORT + (127,):
        data = {"Q": normal(rng, 1, 3, n, 16), "K": normal(rng, 1, n, 16), "V": normal(rng, 1, n, 8)}
        yield f"{n}", {**data, **{g: normal(rng, 1, 3, n) for g in ("GC", "GS", "GW")}}, {
            "ranks": {"C": 8}, "params": {"k": 3, "window": 12}}


@case("quest")
def _(rng):
    for n, k in zip(SIZES, (8, 1, 3, 2, 4)):
        yield f"{n} k {k}", {"Q": eighths(rng, 2, 2, 16), "K": eighths(rng, 2, 2, n, 16), "V": normal(rng, 2, 2, n, 8)}, {
            "ranks": {"C": 8}, "params": {"k": k}}


@case("twilight", "relative_threshold")
def _(rng):
    for P, M in ((1, 1), (7, 7), (63, 63), (5, 127), (20, 9)):
        yield f"{P}x{M}", qkv(rng, 1, 2, P, M), {}


@case("lightning_indexer")
def _(rng):
    for n, k in zip(SIZES, (4, 3, 16, 8, 64)):
        yield f"{n} k {k}", {"Q": normal(rng, 1, 3, n, 16), "K": normal(rng, 1, n, 16), "V": normal(rng, 1, n, 8),
                             "QI": eighths(rng, 1, 2, n, 8), "KI": eighths(rng, 1, n, 8), "WI": eighths(rng, 1, 2, n)}, {
            "params": {"k": k}}


@case("sparsemax")
def _(rng):
    for P, M in ((1, 1), (7, 7), (9, 63), (5, 127)):
        yield f"{P}x{M}", qkv(rng, 1, 2, P, M), {}


# --- decode ------------------------------------------------------------------------------------


def _pages(rng, lengths, size, slots):
    """A table of distinct physical pages and the set that is in use up to each length."""
    count = len(lengths) * slots + 3
    order = rng.permutation(count)[:len(lengths) * slots].reshape(len(lengths), slots)
    return order, count


def _poison(pages, table, lengths, size):
    """NaN (or the smallest integer) wherever no sequence reads."""
    used = np.zeros(pages.shape[:2], bool)
    for b, n in enumerate(lengths):
        for m in range(min(n, table.shape[1] * size)):
            used[table[b, m // size], m % size] = True
    pages[~used] = np.nan
    return pages


@case("paged_decode")
def _(rng):
    for lengths, size, slots in (((1,), 4, 1), ((7, 0, 12), 4, 3), ((63, 65), 16, 5), ((127, 1, 40), 8, 16)):
        table, count = _pages(rng, lengths, size, slots)
        draw = lambda c: _poison(normal(rng, count, size, 2, c), table, lengths, size)
        page = table.copy()
        for b, n in enumerate(lengths):
            page[b, -(-n // size):] = -1                    # never looked up
        yield f"{lengths}", {"Q": normal(rng, len(lengths), 6, 16), "KP": draw(16), "VP": draw(8), "page": page,
                             "len": np.array(lengths)}, {}


@case("paged_int8")
def _(rng):
    for lengths, size, slots in (((1,), 4, 1), ((7, 0, 12), 4, 3), ((63, 65), 16, 5)):
        table, count = _pages(rng, lengths, size, slots)
        codes = lambda c: rng.integers(-128, 128, (count, size, 2, c))
        scales = lambda: _poison(rng.uniform(0.005, 0.02, (count, size, 2)), table, lengths, size)
        yield f"{lengths}", {"Q": normal(rng, len(lengths), 4, 16), "KQ": codes(16), "KS": scales(), "VQ": codes(8),
                             "VS": scales(), "page": table, "len": np.array(lengths)}, {}


@case("fp8_decode")
def _(rng):
    for n in SIZES:
        data = {"Q": normal(rng, 2, 4, 16), "K": 4 * normal(rng, 2, 2, n, 16), "V": 4 * normal(rng, 2, 2, n, 8),
                "KS": rng.uniform(0.1, 0.3, 2), "VS": rng.uniform(0.1, 0.3, 2), "len": np.array([n, n // 2])}
        data["K"][1, :, n // 2:] = data["V"][1, :, n // 2:] = np.nan
        yield f"{n}", data, {}


@case("int4_decode")
def _(rng):
    for n in SIZES:
        groups = -(-n // 8)
        yield f"{n}", {"Q": normal(rng, 2, 4, 16), "KQ": rng.integers(-8, 8, (2, 2, n, 16)),
                       "KS": rng.uniform(0.05, 0.3, (2, 2, groups, 16)), "KZ": normal(rng, 2, 2, groups, 16),
                       "VQ": rng.integers(-8, 8, (2, 2, n, 6)), "VS": rng.uniform(0.05, 0.3, (2, 2, n)),
                       "VZ": normal(rng, 2, 2, n)}, {"ranks": {"C": 8}}


@case("split_kv")
def _(rng):
    for n in SIZES:
        yield f"{n}", {"Q": normal(rng, 2, 4, 16), "K": normal(rng, 2, 4, n, 16), "V": normal(rng, 2, 4, n, 8)}, {
            "ranks": {"C": 32}}
    yield "extreme", {"Q": rng.integers(-60, 61, (1, 2, 16)), "K": rng.integers(-60, 61, (1, 2, 100, 16)),
                      "V": normal(rng, 1, 2, 100, 8)}, {"ranks": {"C": 32}}


@case("fusemax")
def _(rng):
    for P, M in ((1, 1), (7, 7), (63, 65), (20, 127), (30, 11)):
        yield f"{P}x{M}", {"Q": normal(rng, P, 16), "K": normal(rng, M, 16), "V": normal(rng, M, 8)}, {"ranks": {"C": 16}}
    yield "extreme", {"Q": rng.integers(-60, 61, (9, 16)), "K": rng.integers(-60, 61, (50, 16)),
                      "V": normal(rng, 50, 8)}, {"ranks": {"C": 16}}


# --- recurrences -------------------------------------------------------------------------------


@case("linear_attention", "based")
def _(rng):
    for n in SHORT:
        yield f"{n}", qkv(rng, 1, 2, n, n, 8, 6), {}


@case("linear_bidirectional")
def _(rng):
    for P, M in ((1, 1), (7, 7), (63, 65), (5, 127)):
        yield f"{P}x{M}", qkv(rng, 1, 2, P, M), {}


@case("retention")
def _(rng):
    for n in SHORT:
        yield f"{n}", qkv(rng, 1, 2, n, n, 8, 6), {}
    yield "from a state", {**qkv(rng, 2, 3, 9, 9, 8, 6), "S0": normal(rng, 2, 3, 8, 6)}, {}
    yield "no token", {**qkv(rng, 2, 3, 0, 0, 8, 6), "S0": normal(rng, 2, 3, 8, 6)}, {}


@case("lightning")
def _(rng):
    for n in SIZES:
        yield f"{n}", {**qkv(rng, 1, 3, n, n), "Slope": np.array([0.5, 0.05, 0.001])}, {}


@case("gla")
def _(rng):
    for n in SHORT:
        yield f"{n}", {**qkv(rng, 1, 2, n, n, 8, 6), "G": np.log(rng.uniform(0.2, 1, (1, 2, n, 8)))}, {}
    yield "strong decay", {**qkv(rng, 1, 2, 33, 33, 8, 6), "G": -rng.uniform(0, 30, (1, 2, 33, 8))}, {}


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@case("delta_rule")
def _(rng):
    for n in SHORT:
        data = qkv(rng, 1, 2, n, n, 8, 6)
        yield f"{n}", {**data, "K": _unit(data["K"]), "Beta": rng.uniform(0, 1, (1, 2, n))}, {}


@case("gated_delta")
def _(rng):
    for n in (0,) + SHORT:
        data = qkv(rng, 2, 2, n, n, 8, 6)
        yield f"{n}", {**data, "K": _unit(data["K"]) if n else data["K"], "Beta": rng.uniform(0, 1, (2, 2, n)),
                       "G": np.log(rng.uniform(0.5, 1, (2, 2, n))), "S0": normal(rng, 2, 2, 8, 6)}, {}
    data.pop("S0", None)
    yield "no state", {**data, "K": _unit(data["K"]), "Beta": rng.uniform(0, 1, (2, 2, 65)),
                       "G": np.log(rng.uniform(0.5, 1, (2, 2, 65)))}, {}


@case("kimi_delta")
def _(rng):
    for n in SHORT:
        data = qkv(rng, 1, 2, n, n, 8, 6)
        yield f"{n}", {**data, "K": _unit(data["K"]), "Beta": rng.uniform(0, 1, (1, 2, n)),
                       "G": np.log(rng.uniform(0.3, 1, (1, 2, n, 8)))}, {}


@case("mamba2")
def _(rng):
    for n in SHORT:
        yield f"{n}", {"X": normal(rng, 2, n, 4, 5), "Step": normal(rng, 2, n, 4), "A": -rng.uniform(0.1, 4, 4),
                       "BM": normal(rng, 2, n, 2, 7), "CM": normal(rng, 2, n, 2, 7), "Skip": normal(rng, 4),
                       "bias": normal(rng, 4)}, {}


@case("s4d")
def _(rng):
    for n in SHORT:
        yield f"{n}", {"U": normal(rng, 2, n, 3), "LogA": np.log(rng.uniform(0.3, 2, (3, 8))),
                       "AI": np.pi * np.arange(8) * np.ones((3, 1)), "CR": normal(rng, 3, 8), "CI": normal(rng, 3, 8),
                       "LogDt": np.log(rng.uniform(0.01, 0.2, 3)), "Skip": normal(rng, 3)}, {}


@case("mamba")
def _(rng):
    for n in SHORT:
        yield f"{n}", {"U": normal(rng, 2, n, 5), "Step": normal(rng, 2, n, 5), "A": -rng.uniform(0.1, 4, (5, 6)),
                       "BM": normal(rng, 2, n, 6), "CM": normal(rng, 2, n, 6), "Skip": normal(rng, 5),
                       "Z": normal(rng, 2, n, 5)}, {}


@case("rwkv6")
def _(rng):
    for n in SHORT:
        d = qkv(rng, 1, 2, n, n, 8, 6)
        yield f"{n}", {"R": d["Q"], "K": d["K"], "V": d["V"], "W": normal(rng, 1, 2, n, 8), "U": normal(rng, 2, 8),
                       "S0": normal(rng, 1, 2, 8, 6)}, {}


@case("rwkv7")
def _(rng):
    for n in SHORT:
        d = qkv(rng, 1, 2, n, n, 8, 6)
        yield f"{n}", {"R": d["Q"], "K": d["K"], "V": d["V"], "W": normal(rng, 1, 2, n, 8),
                       "Kappa": _unit(normal(rng, 1, 2, n, 8)), "Alpha": rng.uniform(0, 1, (1, 2, n, 8))}, {}


@case("hgrn")
def _(rng):
    for n in SHORT:
        draw = lambda: normal(rng, 2, n, 9)
        yield f"{n}", {"I": draw(), "Forget": draw(), "Gate": draw()}, {"scalars": {"bound": 0.25}}


@case("abc")
def _(rng):
    for n in SHORT:
        yield f"{n}", {**qkv(rng, 1, 2, n, n, 8, 6), "C": 3 * normal(rng, 1, 2, n, 5)}, {}


@case("aaren")
def _(rng):
    for n in SHORT:
        yield f"{n}", {"Q": normal(rng, 2, 16), "K": normal(rng, 2, 2, n, 16), "V": normal(rng, 2, 2, n, 6)}, {}


@case("performer")
def _(rng):
    for P, M in ((1, 1), (7, 7), (63, 65), (5, 127)):
        yield f"{P}x{M}", {**qkv(rng, 1, 2, P, M), "Omega": normal(rng, 20, 16)}, {}


@case("delta_former")
def _(rng):
    for n in SHORT:
        d = qkv(rng, 1, 2, n, n, 8, 6)
        yield f"{n}", {"Q": d["Q"][0], "K": d["K"][0], "V": d["V"][0], "W": normal(rng, 2, n, 8),
                       "Beta": rng.uniform(0, 1, (2, n))}, {}


# --- landmarks and low rank --------------------------------------------------------------------


@case("landmark")
def _(rng):
    for n in SHORT:
        yield f"{n}", qkv(rng, 1, 2, n, n), {"ranks": {"C": 8}}


@case("nystromformer", "agent_attention")
def _(rng):
    for n in SHORT:
        yield f"{n}", qkv(rng, 1, 2, n, n), {"ranks": {"C": 8}}


@case("linformer")
def _(rng):
    for P, M in ((1, 1), (7, 9), (63, 65)):
        yield f"{P}x{M}", {**qkv(rng, 1, 2, P, M), "PK": normal(rng, 5, M) / 4, "PV": normal(rng, 5, M) / 4}, {}


@case("xcit")
def _(rng):
    for n in SIZES:
        draw = lambda: normal(rng, 1, 2, n, 12)
        yield f"{n}", {"Q": draw(), "K": draw(), "V": draw(), "Tau": rng.uniform(0.5, 4, 2)}, {}


@case("flow_attention")
def _(rng):
    for P, M in ((1, 1), (7, 7), (63, 65), (5, 127)):
        yield f"{P}x{M}", qkv(rng, 1, 2, P, M), {}
