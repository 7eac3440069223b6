"""References of the dense variants: one row of scores, some function of it, the values."""
import numpy as np

from .rows import attend, causal_keys, default_scale, each, f32, lse, masked_self_attention, softmax


def _rows(Q, K, V, scale, causal, adjust=None):
    """O and LSE for every row; query head h reads key head h // (H / J)."""
    B, H, P, E = Q.shape
    J, M = K.shape[1], K.shape[2]
    O = np.zeros((B, H, P, V.shape[3]))
    L = np.zeros((B, H, P))
    for b, h, p in each(B, H, P):
        j = h // (H // J)
        keys = causal_keys(p, P, M) if causal else range(M)
        change = None if adjust is None else (lambda s, n: adjust(s, n, b, h, p))
        O[b, h, p], L[b, h, p] = attend(Q[b, h, p], K[b, j], V[b, j], keys, scale, change)
    return O, L


def attention(Q, K, V, scale=None):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), False)[0]}


def unstable_softmax(Q, K, V, scale=None):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), False)[0]}


def deferred_division(Q, K, V, scale=None):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), False)[0]}


def causal_gqa(Q, K, V, scale=None):
    O, L = _rows(Q, K, V, default_scale(Q, scale), True)
    return {"O": O, "LSE": L}


def base2(Q, K, V, scale=None):
    return causal_gqa(Q, K, V, scale)


def softcap(Q, K, V, scale=None, cap=50.0):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), True,
                       lambda s, n, b, h, p: cap * np.tanh(s / cap))[0]}


def alibi(Q, K, V, scale=None):
    H, P, M = Q.shape[1], Q.shape[2], K.shape[2]
    slopes = [2.0 ** (-8.0 * (h + 1) / H) for h in range(H)]
    return {"O": _rows(Q, K, V, default_scale(Q, scale), True,
                       lambda s, n, b, h, p: s - slopes[h] * ((p + M - P) - n))[0]}


def sink_logit(Q, K, V, Sink, scale=None):
    """The sink is one more logit whose value is the zero vector."""
    scale = default_scale(Q, scale)
    B, H, P, _ = Q.shape
    J, M = K.shape[1], K.shape[2]
    O, L = np.zeros((B, H, P, V.shape[3])), np.zeros((B, H, P))
    for b, h, p in each(B, H, P):
        j, keys = h // (H // J), list(causal_keys(p, P, M))
        scores = np.append(scale * (K[b, j][keys] @ Q[b, h, p]), Sink[h])
        O[b, h, p] = softmax(scores)[:-1] @ V[b, j][keys]
        L[b, h, p] = lse(scores)
    return {"O": O, "LSE": L}


def row_temperature(Q, K, V, Tau, scale=None):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), True,
                       lambda s, n, b, h, p: s / Tau[b, h, p])[0]}


def sigmoid_attention(Q, K, V, scale=None, bias=None):
    scale, M = default_scale(Q, scale), K.shape[2]
    bias = f32(-np.log(M)) if bias is None else bias
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        for m in causal_keys(p, Q.shape[2], M):
            O[b, h, p] += V[b, h, m] / (1.0 + np.exp(-(scale * (Q[b, h, p] @ K[b, h, m]) + bias)))
    return {"O": O}


def relu_attention(Q, K, V, scale=None):
    scale, M = default_scale(Q, scale), K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        O[b, h, p] = (np.maximum(scale * (K[b, h] @ Q[b, h, p]), 0.0) / M) @ V[b, h]
    return {"O": O}


def squared_relu(Q, K, V, Gate):
    B, T, _ = Q.shape
    O = np.zeros(V.shape)
    for b, t in each(B, T):
        weights = np.maximum(K[b, :t + 1] @ Q[b, t] / T, 0.0) ** 2
        O[b, t] = Gate[b, t] * (weights @ V[b, :t + 1])
    return {"O": O}


def differential(Q1, K1, Q2, K2, V, Lambda, scale=None, lambda_init=0.8, eps=0.00001):
    scale = default_scale(Q1, scale)
    first = _rows(Q1, K1, V, scale, True)[0]
    second = _rows(Q2, K2, V, scale, True)[0]
    Y = first - Lambda[None, :, None, None] * second
    norm = np.sqrt((Y ** 2).mean(-1, keepdims=True) + eps)
    return {"O": (1.0 - f32(lambda_init)) * Y / norm}


def mla(QL, QR, C, KR, WV, scale=None):
    """Un-absorbed view: key = [latent, rotary], value = latent times the head's projection."""
    B, H, P, L = QL.shape
    M = C.shape[1]
    scale = f32(1.0 / np.sqrt(L + QR.shape[3])) if scale is None else scale
    O = np.zeros((B, H, P, WV.shape[2]))
    for b, h, p in each(B, H, P):
        q = np.concatenate([QL[b, h, p], QR[b, h, p]])
        keys = np.concatenate([C[b], KR[b]], axis=1)
        O[b, h, p], _ = attend(q, keys, C[b] @ WV[h], causal_keys(p, P, M), scale)
    return {"O": O}


def prefix_lm(Q, K, V, prefix, scale=None):
    return {"O": masked_self_attention(Q, K, V, default_scale(Q, scale),
                                       lambda b, h, t, u: u <= t or u < prefix[b])}


def row_entropy(Q, K, V, scale=None):
    scale = default_scale(Q, scale)
    O, entropy = np.zeros(Q.shape[:3] + V.shape[3:]), np.zeros(Q.shape[:3])
    for b, h, p in each(*Q.shape[:3]):
        w = softmax(scale * (K[b, h] @ Q[b, h, p]))
        O[b, h, p] = w @ V[b, h]
        positive = w[w > 0]
        entropy[b, h, p] = -(positive * np.log(positive)).sum()
    return {"O": O, "Entropy": entropy}


def stats(Q, K, V, scale=None, eps=0.000001):
    scale = default_scale(Q, scale)
    mean, dev = np.zeros(Q.shape[:3] + V.shape[3:]), np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        w = softmax(scale * (K[b, h] @ Q[b, h, p]))
        mean[b, h, p] = w @ V[b, h]
        dev[b, h, p] = np.sqrt(w @ (V[b, h] - mean[b, h, p]) ** 2 + f32(eps))
    return {"Mean": mean, "Dev": dev}


def parallax(Q, R, K, V, scale=None):
    """Average of the values minus their covariance with the second score."""
    scale, P, M = default_scale(Q, scale), Q.shape[2], K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        keys = list(causal_keys(p, P, M))
        if not keys:
            continue
        w = softmax(scale * (K[b, h][keys] @ Q[b, h, p]))
        t = K[b, h][keys] @ R[b, h, p]
        mean = w @ V[b, h][keys]
        covariance = (w * (t - w @ t)) @ V[b, h][keys]
        O[b, h, p] = mean - covariance
    return {"O": O}


def joint_softmax(Q, K1, V1, K2, V2, scale=None):
    K, V = np.concatenate([K1, K2], axis=2), np.concatenate([V1, V2], axis=2)
    return attention(Q, K, V, scale)


def two_values(Q, K, V, W, scale=None):
    return {"O": attention(Q, K, V, scale)["O"], "R": attention(Q, K, W, scale)["O"]}


def logsumexp(Q, K, beta=None):
    beta = default_scale(Q, beta)
    energy = np.zeros(Q.shape[:2])
    for b, p in each(*Q.shape[:2]):
        energy[b, p] = 0.5 * (Q[b, p] @ Q[b, p]) - lse(beta * (K[b] @ Q[b, p])) / beta
    return {"Energy": energy}


def rope_attention(Q, K, V, scale=None):
    """Rotation of the pairs (i, i + E/2) as complex numbers."""
    def turn(x, positions):
        half = x.shape[-1] // 2
        z = x[..., :half] + 1j * x[..., half:]
        angles = np.outer(positions, 10000.0 ** (-2.0 * np.arange(half) / x.shape[-1]))
        z = z * np.exp(1j * angles)
        return np.concatenate([z.real, z.imag], axis=-1)
    P, M = Q.shape[2], K.shape[2]
    rotated = turn(Q, np.arange(P) + M - P), turn(K, np.arange(M))
    return {"O": _rows(rotated[0], rotated[1], V, default_scale(Q, scale), True)[0]}


def qk_norm(Q, K, V, GQ, GK, scale=None, eps=0.000001):
    def norm(x, gain):
        return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + eps) * gain
    return {"O": _rows(norm(Q, GQ), norm(K, GK), V, default_scale(Q, scale), True)[0]}


def talking_heads(Q, K, V, WL, WA, scale=None):
    scale = default_scale(Q, scale)
    B, H, P, _ = Q.shape
    O = np.zeros((B, WA.shape[0], P, V.shape[3]))
    for b, p in each(B, P):
        raw = np.stack([scale * (K[b, h] @ Q[b, h, p]) for h in range(H)])
        weights = np.stack([softmax(row) for row in WL @ raw])
        for y, mixed in enumerate(WA @ weights):
            O[b, y, p] = mixed @ V[b, y]
    return {"O": O}


def additive_attention(Q, K, V, W, len):
    O = np.zeros(Q.shape[:2] + V.shape[2:])
    for b, p in each(*Q.shape[:2]):
        n = int(np.clip(len[b], 0, K.shape[1]))
        if n:
            O[b, p] = softmax(np.tanh(K[b, :n] + Q[b, p]) @ W) @ V[b, :n]
    return {"O": O}


def gated_attention(Q, K, V, Gate, scale=None):
    return {"O": _rows(Q, K, V, default_scale(Q, scale), True)[0] / (1.0 + np.exp(-Gate))}


def forgetting(Q, K, V, LogF, scale=None):
    """The bias of (t, u) is the sum of the log gates after u, up to t."""
    return {"O": _rows(Q, K, V, default_scale(Q, scale), True,
                       lambda s, n, b, h, t: s + [LogF[b, h, u + 1:t + 1].sum() for u in n])[0]}


def stick_breaking(Q, K, V, scale=None):
    scale = default_scale(Q, scale)
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, t in each(*Q.shape[:3]):
        left = 1.0
        for u in range(t - 1, -1, -1):
            share = 1.0 / (1.0 + np.exp(-scale * (Q[b, h, t] @ K[b, h, u])))
            O[b, h, t] += left * share * V[b, h, u]
            left *= 1.0 - share
    return {"O": O}
