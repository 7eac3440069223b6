"""Small helpers of the references: one softmax row, loops over index tuples."""
import itertools

import numpy as np


def each(*extents):
    return itertools.product(*(range(n) for n in extents))


def softmax(scores):
    """Weights of one row; an empty row has none."""
    scores = np.asarray(scores, np.float64)
    if scores.size == 0:
        return scores
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def lse(scores):
    """log(sum(exp(scores))); minus infinity for an empty row."""
    scores = np.asarray(scores, np.float64)
    if scores.size == 0:
        return -np.inf
    top = scores.max()
    return top + np.log(np.exp(scores - top).sum())


def attend(q, k, v, keys, scale, adjust=None):
    """One query against the listed keys. `adjust(scores, keys)` changes the scores.

    Returns the output row and its log-sum-exp; 0 and minus infinity when there is no key.
    """
    keys = np.asarray(list(keys), np.int64)
    if keys.size == 0:
        return np.zeros(v.shape[-1]), -np.inf
    scores = scale * (k[keys] @ q)
    if adjust is not None:
        scores = adjust(scores, keys)
    return softmax(scores) @ v[keys], lse(scores)


def f32(x):
    """Scalars of the examples are declared f32: a default is rounded once, like an argument."""
    return float(np.float32(x))


def default_scale(q, scale):
    return f32(1.0 / np.sqrt(q.shape[-1])) if scale is None else scale


def causal_keys(p, queries, keys):
    """Keys that row p may see when the last query stands at the last key."""
    return range(max(0, min(keys, p + keys - queries + 1)))


def masked_self_attention(Q, K, V, scale, allowed):
    """[B,H,T,E] self-attention; `allowed(b, h, t, u)` says which pairs exist."""
    B, H, T, _ = Q.shape
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, t in each(B, H, T):
        keys = [u for u in range(T) if allowed(b, h, t, u)]
        O[b, h, t], _ = attend(Q[b, h, t], K[b, h], V[b, h], keys, scale)
    return O
