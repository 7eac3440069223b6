"""References of the data-dependent selections: scores, a choice by sorting, softmax over it."""
import numpy as np

from .rows import attend, causal_keys, default_scale, each, softmax


def _best(scores, k):
    """Indices of the k largest, ties to the smaller index."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:k]


def _blocks(length, size):
    return [range(start, min(length, start + size)) for start in range(0, length, size)]


def moba(Q, K, V, scale=None, k=3, C=512):
    scale = default_scale(Q, scale)
    T = Q.shape[2]
    blocks = _blocks(T, C)
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, t in each(*Q.shape[:3]):
        own = t // C
        gates = [Q[b, h, t] @ K[b, h, blocks[n]].mean(0) for n in range(own)] + [np.inf]
        keys = [u for n in sorted(_best(gates, k)) for u in blocks[n] if u <= t]
        O[b, h, t], _ = attend(Q[b, h, t], K[b, h], V[b, h], keys, scale)
    return {"O": O}


def topk_attention(Q, K, V, scale=None, k=8):
    scale, P, M = default_scale(Q, scale), Q.shape[2], K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        seen = len(causal_keys(p, P, M))
        keys = _best(K[b, h, :seen] @ Q[b, h, p], k)
        O[b, h, p], _ = attend(Q[b, h, p], K[b, h], V[b, h], keys, scale)
    return {"O": O}


def native_sparse(Q, K, V, GC, GS, GW, scale=None, k=4, window=64, C=32):
    scale = default_scale(Q, scale)
    B, H, T, _ = Q.shape
    blocks = _blocks(T, C)
    gate = lambda x: 1.0 / (1.0 + np.exp(-x))
    O = np.zeros(Q.shape[:3] + V.shape[2:])
    for b, t in each(B, T):
        full = (t + 1) // C
        own = t // C
        importance = np.zeros(own + 1)
        compressed = np.zeros((H, V.shape[2]))
        if full:
            means = np.stack([K[b, blocks[n]].mean(0) for n in range(full)])
            values = np.stack([V[b, blocks[n]].mean(0) for n in range(full)])
            for h in range(H):
                w = softmax(scale * (means @ Q[b, h, t]))
                compressed[h] = w @ values
                importance[:min(full, own + 1)] += w[:own + 1]
        importance[0] = importance[own] = np.inf
        chosen = [u for n in sorted(_best(importance, k)) for u in blocks[n] if u <= t]
        recent = range(max(0, t - window + 1), t + 1)
        for h in range(H):
            O[b, h, t] = (gate(GC[b, h, t]) * compressed[h]
                          + gate(GS[b, h, t]) * attend(Q[b, h, t], K[b], V[b], chosen, scale)[0]
                          + gate(GW[b, h, t]) * attend(Q[b, h, t], K[b], V[b], recent, scale)[0])
    return {"O": O}


def quest(Q, K, V, scale=None, k=8, C=16):
    scale = default_scale(Q, scale)
    pages = _blocks(K.shape[2], C)
    O = np.zeros(Q.shape[:2] + V.shape[3:])
    for b, h in each(*Q.shape[:2]):
        q = Q[b, h]
        bounds = [np.where(q > 0, q * K[b, h, page].max(0), q * K[b, h, page].min(0)).sum() for page in pages]
        keys = [m for n in sorted(_best(bounds, k)) for m in pages[n]]
        O[b, h], _ = attend(q, K[b, h], V[b, h], keys, scale)
    return {"O": O}


def twilight(Q, K, V, scale=None, mass=0.9):
    scale, P, M = default_scale(Q, scale), Q.shape[2], K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        seen = len(causal_keys(p, P, M))
        w = softmax(scale * (K[b, h, :seen] @ Q[b, h, p]))
        keys, held = [], 0.0
        for m in _best(w, seen):
            keys.append(m)
            held += w[m]
            if held >= mass:
                break
        if keys:
            O[b, h, p] = w[keys] @ V[b, h, keys] / w[keys].sum()
    return {"O": O}


def lightning_indexer(Q, K, V, QI, KI, WI, scale=None, k=64):
    scale = default_scale(Q, scale)
    B, H, T, _ = Q.shape
    O = np.zeros(Q.shape[:3] + V.shape[2:])
    for b, t in each(B, T):
        index = np.zeros(t + 1)
        for i in range(QI.shape[1]):
            index += WI[b, i, t] * np.maximum(KI[b, :t + 1] @ QI[b, i, t], 0.0)
        keys = _best(index, k)
        for h in range(H):
            O[b, h, t], _ = attend(Q[b, h, t], K[b], V[b], keys, scale)
    return {"O": O}


def sparsemax(Q, K, V, scale=None):
    """The sorting algorithm of the paper (its Algorithm 1)."""
    scale = default_scale(Q, scale)
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        z = scale * (K[b, h] @ Q[b, h, p])
        down = np.sort(z)[::-1]
        sums = np.cumsum(down)
        count = max(i + 1 for i in range(len(z)) if 1 + (i + 1) * down[i] > sums[i])
        O[b, h, p] = np.maximum(z - (sums[count - 1] - 1) / count, 0.0) @ V[b, h]
    return {"O": O}


def relative_threshold(Q, K, V, scale=None, share=0.1):
    scale, P, M = default_scale(Q, scale), Q.shape[2], K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        seen = len(causal_keys(p, P, M))
        if seen:
            w = softmax(scale * (K[b, h, :seen] @ Q[b, h, p]))
            w = np.where(w >= share * w.max(), w, 0.0)
            O[b, h, p] = w @ V[b, h, :seen] / w.sum()
    return {"O": O}
