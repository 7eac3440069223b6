"""References of the landmark, low-rank and flow systems."""
import numpy as np

from .rows import attend, default_scale, each, softmax


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _means(x, size):
    """Means over consecutive segments of the second-last axis; the last may be short."""
    return np.stack([x[..., i:i + size, :].mean(-2) for i in range(0, x.shape[-2], size)], axis=-2)


def landmark(Q, K, V, scale=None, C=64):
    """Own block and landmarks in one softmax; each landmark's share divided inside its block."""
    scale = default_scale(Q, scale)
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, t in each(*Q.shape[:3]):
        own = t // C
        scores = scale * (K[b, h] @ Q[b, h, t])
        local = list(range(own * C, t + 1))
        marks = [(n + 1) * C - 1 for n in range(own)]
        outer = softmax(scores[marks + local])
        out = outer[len(marks):] @ V[b, h, local]
        for n in range(own):
            members = list(range(n * C, (n + 1) * C - 1))
            if members:
                out = out + outer[n] * (softmax(scores[members]) @ V[b, h, members])
        O[b, h, t] = out
    return {"O": O}


def nystromformer(Q, K, V, scale=None, C=8):
    scale = default_scale(Q, scale)
    QL, KL = _means(Q, C), _means(K, C)
    turn = lambda x: np.swapaxes(x, -1, -2)
    F1, A, F2 = _softmax(scale * Q @ turn(KL)), _softmax(scale * QL @ turn(KL)), _softmax(scale * QL @ turn(K))
    eye = np.eye(A.shape[-1])
    Z = turn(A) / A.sum(-2).max(-1)[..., None, None]
    for _ in range(6):
        AZ = A @ Z
        Z = 0.25 * Z @ (13.0 * eye - AZ @ (15.0 * eye - AZ @ (7.0 * eye - AZ)))
    return {"O": F1 @ (Z @ (F2 @ V))}


def agent_attention(Q, K, V, scale=None, C=16):
    scale = default_scale(Q, scale)
    agents = _means(Q, C)
    turn = lambda x: np.swapaxes(x, -1, -2)
    collected = _softmax(scale * agents @ turn(K)) @ V
    return {"O": _softmax(scale * Q @ turn(agents)) @ collected}


def linformer(Q, K, V, PK, PV, scale=None):
    scale = default_scale(Q, scale)
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        O[b, h, p], _ = attend(Q[b, h, p], PK @ K[b, h], PV @ V[b, h], range(PK.shape[0]), scale)
    return {"O": O}


def xcit(Q, K, V, Tau):
    O = np.zeros(V.shape)
    for b, h in each(*Q.shape[:2]):
        q = Q[b, h] / np.linalg.norm(Q[b, h], axis=0)
        k = K[b, h] / np.linalg.norm(K[b, h], axis=0)
        O[b, h] = V[b, h] @ _softmax(Tau[h] * (q.T @ k)).T
    return {"O": O}


def flow_attention(Q, K, V, eps=0.000001):
    """Flow-Attention as in the authors' module (non-causal branch)."""
    q, k = 1.0 / (1.0 + np.exp(-Q)), 1.0 / (1.0 + np.exp(-K))
    P, M = q.shape[2], k.shape[2]
    sink_in = 1.0 / np.einsum("bhpe,bhe->bhp", q + eps, k.sum(2) + eps)
    source_out = 1.0 / np.einsum("bhme,bhe->bhm", k + eps, q.sum(2) + eps)
    conserved_sink = np.einsum("bhpe,bhe->bhp", q + eps, (k * source_out[..., None]).sum(2) + eps)
    conserved_source = np.einsum("bhme,bhe->bhm", k + eps, (q * sink_in[..., None]).sum(2) + eps)
    competition = _softmax(np.clip(conserved_source, -1.0, 1.0)) * M
    allocation = 1.0 / (1.0 + np.exp(-conserved_sink * P / M))
    kv = np.swapaxes(k, -1, -2) @ (V * competition[..., None])
    return {"O": (q * sink_in[..., None]) @ kv * allocation[..., None]}
