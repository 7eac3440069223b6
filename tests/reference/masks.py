"""References of the static masks: which keys a query may see, as a predicate in plain Python."""
import numpy as np

from .rows import attend, causal_keys, default_scale, each, masked_self_attention, softmax


def _grouped(Q, K, V, scale, allowed):
    """[B,H,P,E] against [B,J,M,E]; `allowed(b, p, m)`."""
    scale = default_scale(Q, scale)
    B, H, P, _ = Q.shape
    J, M = K.shape[1], K.shape[2]
    O, L = np.zeros((B, H, P, V.shape[3])), np.zeros((B, H, P))
    for b, h, p in each(B, H, P):
        j = h // (H // J)
        keys = [m for m in range(M) if allowed(b, p, m)]
        O[b, h, p], L[b, h, p] = attend(Q[b, h, p], K[b, j], V[b, j], keys, scale)
    return O, L


def sliding_window(Q, K, V, scale=None, window=256):
    offset = K.shape[2] - Q.shape[2]
    return {"O": _grouped(Q, K, V, scale, lambda b, p, m: 0 <= p + offset - m < window)[0]}


def streaming_llm(Q, K, V, scale=None, sinks=4, window=512):
    offset = K.shape[2] - Q.shape[2]

    def allowed(b, p, m):
        distance = p + offset - m
        return distance >= 0 and (m < sinks or distance < window)
    return {"O": _grouped(Q, K, V, scale, allowed)[0]}


def padded_encoder(Q, K, V, len, scale=None):
    O, L = _grouped(Q, K, V, scale, lambda b, p, m: m < len[b])
    return {"O": O, "LSE": L}


def tree_decode(Q, K, V, Tree, scale=None):
    cache = K.shape[2] - Q.shape[2]
    return {"O": _grouped(Q, K, V, scale,
                          lambda b, p, m: m < cache or bool(0 <= m - cache and Tree[p, m - cache]))[0]}


def dilated(Q, K, V, scale=None, window=64, dilation=4):
    def allowed(b, h, t, u):
        steps, rest = divmod(t - u, dilation)
        return rest == 0 and 0 <= steps < window
    return {"O": masked_self_attention(Q, K, V, default_scale(Q, scale), allowed)}


def strided_sparse(Q, K, V, scale=None, stride=32):
    def allowed(b, h, t, u):
        return 0 <= t - u and (t - u < stride or (t - u) % stride == 0)
    return {"O": masked_self_attention(Q, K, V, default_scale(Q, scale), allowed)}


def context_sharding(Q, K, V, scale=None, block=64, near=2, stride=4):
    def allowed(b, h, t, u):
        q, c = t // block, u // block
        return u <= t and (q - c < near or (c + h) % stride == 0)
    return {"O": masked_self_attention(Q, K, V, default_scale(Q, scale), allowed)}


def longlora(Q, K, V, scale=None, group=256):
    H = Q.shape[1]

    def allowed(b, h, t, u):
        shift = group // 2 if h >= H // 2 else 0
        return u <= t and (u + shift) // group == (t + shift) // group
    return {"O": masked_self_attention(Q, K, V, default_scale(Q, scale), allowed)}


def _packed(Q, K, V, cu, scale, causal):
    """Documents cut out and attended one by one; tokens after the last offset form one more."""
    scale = default_scale(Q, scale)
    T, H, _ = Q.shape
    O, L = np.zeros((T, H, V.shape[2])), np.zeros((T, H))
    bounds = [0] + [int(x) for x in cu[1:]] + [T]
    for start, end in zip(bounds[:-1], bounds[1:]):
        for t in range(start, end):
            keys = range(start, t + 1 if causal else end)
            for h in range(H):
                O[t, h], L[t, h] = attend(Q[t, h], K[:, h], V[:, h], keys, scale)
    return O, L


def packed_documents(Q, K, V, cu, scale=None):
    return {"O": _packed(Q, K, V, cu, scale, True)[0]}


def packed_bidirectional(Q, K, V, cu, scale=None):
    O, L = _packed(Q, K, V, cu, scale, False)
    return {"O": O, "LSE": L}


def block_sparse(Q, K, V, ptr, col, scale=None, A=64, C=64):
    scale = default_scale(Q, scale)
    H, P, _ = Q.shape
    M = K.shape[1]
    O = np.zeros((H, P, V.shape[2]))
    for h, p in each(H, P):
        row = p // A
        keys = [m for z in range(int(ptr[row]), int(ptr[row + 1]))
                for m in range(int(col[z]) * C, min(M, (int(col[z]) + 1) * C))]
        O[h, p], _ = attend(Q[h, p], K[h], V[h], keys, scale)
    return {"O": O}


def _neighbours(i, length, window, dilation=1):
    """The window of one dimension: inside the residue class of i, shifted to lie within it."""
    members = list(range(i % dilation, length, dilation))
    if len(members) <= window:
        return members
    start = i // dilation - window // 2
    start = max(0, min(start, len(members) - window))
    return members[start:start + window]


def natten_1d(Q, K, V, scale=None, window=7):
    scale = default_scale(Q, scale)
    B, X, H, _ = Q.shape
    O = np.zeros((B, X, H, V.shape[3]))
    for b, x, h in each(B, X, H):
        O[b, x, h], _ = attend(Q[b, x, h], K[b, :, h], V[b, :, h], _neighbours(x, X, window), scale)
    return {"O": O}


def natten_2d(Q, K, V, scale=None, window=7, dilation=2):
    scale = default_scale(Q, scale)
    B, X, Y, H, E = Q.shape
    O = np.zeros(Q.shape[:4] + V.shape[4:])
    for b, x, y, h in each(B, X, Y, H):
        keys = [u * Y + v for u in _neighbours(x, X, window, dilation) for v in _neighbours(y, Y, window, dilation)]
        O[b, x, y, h], _ = attend(Q[b, x, y, h], K[b, :, :, h].reshape(X * Y, E),
                                  V[b, :, :, h].reshape(X * Y, -1), keys, scale)
    return {"O": O}


def natten_3d(Q, K, V, scale=None, frames=3, window=3):
    scale = default_scale(Q, scale)
    B, T, X, Y, H, E = Q.shape
    O = np.zeros(Q.shape[:5] + V.shape[5:])
    for b, t, x, y, h in each(B, T, X, Y, H):
        keys = [(s * X + u) * Y + v for s in range(max(0, t - frames + 1), t + 1)
                for u in _neighbours(x, X, window) for v in _neighbours(y, Y, window)]
        O[b, t, x, y, h], _ = attend(Q[b, t, x, y, h], K[b, :, :, :, h].reshape(T * X * Y, E),
                                     V[b, :, :, :, h].reshape(T * X * Y, -1), keys, scale)
    return {"O": O}


def swin(Q, K, V, Bias, scale=None, window=7, shift=3):
    """Roll the image, cut windows, attend inside each with bias and region mask, roll back."""
    scale = default_scale(Q, scale)
    B, X, Y, H, _ = Q.shape

    def roll(a):
        return np.roll(a, (-shift, -shift), axis=(1, 2))
    q, k, v = roll(Q), roll(K), roll(V)

    def region(i, length):
        return 0 if i < length - window else 1 if i < length - shift else 2
    O = np.zeros(Q.shape[:4] + V.shape[4:])
    for b, h, x, y in each(B, H, X, Y):
        scores, values = [], []
        for u in range(x // window * window, min(X, (x // window + 1) * window)):
            for w in range(y // window * window, min(Y, (y // window + 1) * window)):
                bias = Bias[h, x - u + window - 1, y - w + window - 1]
                together = region(x, X) == region(u, X) and region(y, Y) == region(w, Y)
                scores.append(scale * (q[b, x, y, h] @ k[b, u, w, h]) + bias - (0 if together else 100))
                values.append(v[b, u, w, h])
        O[b, x, y, h] = softmax(scores) @ np.array(values)
    return {"O": np.roll(O, (shift, shift), axis=(1, 2))}


def axial(Q, K, V, scale=None):
    scale = default_scale(Q, scale)
    B, X, Y, H, _ = Q.shape
    O = np.zeros(Q.shape[:4] + V.shape[4:])
    for b, x, y, h in each(B, X, Y, H):
        O[b, x, y, h] = (attend(Q[b, x, y, h], K[b, :, y, h], V[b, :, y, h], range(X), scale)[0] +
                         attend(Q[b, x, y, h], K[b, x, :, h], V[b, x, :, h], range(Y), scale)[0])
    return {"O": O}
