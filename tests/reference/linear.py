"""References of the recurrences: a state, stepped token by token; or the equivalent sum over the past
where the example itself is the recurrence."""
import numpy as np

from .rows import attend, default_scale, each, softmax


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def _silu(x):
    return x * _sigmoid(x)


def _softplus(x):
    return np.logaddexp(0.0, x)


def linear_attention(Q, K, V):
    """As weights over the past: phi(q) . phi(k), normalised."""
    phi = lambda x: np.where(x > 0, x + 1.0, np.exp(np.minimum(x, 0.0)))
    O = np.zeros(V.shape)
    for b, h, t in each(*Q.shape[:3]):
        w = phi(K[b, h, :t + 1]) @ phi(Q[b, h, t])
        O[b, h, t] = w @ V[b, h, :t + 1] / w.sum()
    return {"O": O}


def linear_bidirectional(Q, K, V):
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h in each(*Q.shape[:2]):
        columns = np.stack([softmax(c) for c in K[b, h].T], axis=1)
        context = columns.T @ V[b, h]
        for p in range(Q.shape[2]):
            O[b, h, p] = softmax(Q[b, h, p]) @ context
    return {"O": O}


def _start(Q, V, S0):
    return np.zeros(Q.shape[:2] + (Q.shape[3], V.shape[3])) if S0 is None else S0.copy()


def _scan(Q, K, V, decay, scale, S0=None):
    """S = decay(b,h,t) * S + k v^T; o = scale * q S."""
    S, O = _start(Q, V, S0), np.zeros(V.shape)
    for b, h in each(*Q.shape[:2]):
        for t in range(Q.shape[2]):
            S[b, h] = decay(b, h, t) * S[b, h] + np.outer(K[b, h, t], V[b, h, t])
            O[b, h, t] = scale * (Q[b, h, t] @ S[b, h])
    return O, S


def retention(Q, K, V, S0=None, scale=None):
    O, S = _scan(Q, K, V, lambda b, h, t: 1.0 - 2.0 ** (-5.0 - h), default_scale(Q, scale), S0)
    return {"O": O, "ST": S}


def gla(Q, K, V, G, scale=None):
    O, S = _scan(Q, K, V, lambda b, h, t: np.exp(G[b, h, t])[:, None], default_scale(Q, scale))
    return {"O": O, "ST": S}


def lightning(Q, K, V, Slope):
    """By the recurrence, where the example is the parallel form."""
    return {"O": _scan(Q, K, V, lambda b, h, t: np.exp(-Slope[h]), 1.0)[0]}


def _delta(Q, K, V, decay, Beta, scale, S0=None):
    """S = (I - beta k k^T) D S + beta k v^T with explicit matrices."""
    S, O = _start(Q, V, S0), np.zeros(V.shape)
    identity = np.eye(Q.shape[3])
    for b, h in each(*Q.shape[:2]):
        for t in range(Q.shape[2]):
            k, beta = K[b, h, t], Beta[b, h, t]
            S[b, h] = (identity - beta * np.outer(k, k)) @ np.diag(decay(b, h, t)) @ S[b, h]
            S[b, h] += beta * np.outer(k, V[b, h, t])
            O[b, h, t] = scale * (Q[b, h, t] @ S[b, h])
    return O, S


def delta_rule(Q, K, V, Beta, scale=None):
    ones = np.ones(Q.shape[3])
    return {"O": _delta(Q, K, V, lambda b, h, t: ones, Beta, default_scale(Q, scale))[0]}


def gated_delta(Q, K, V, G, Beta, S0=None):
    O, S = _delta(Q, K, V, lambda b, h, t: np.full(Q.shape[3], np.exp(G[b, h, t])), Beta, 1.0, S0)
    return {"O": O, "ST": S}


def kimi_delta(Q, K, V, G, Beta, scale=None):
    return {"O": _delta(Q, K, V, lambda b, h, t: np.exp(G[b, h, t]), Beta, default_scale(Q, scale))[0]}


def mamba2(X, Step, A, BM, CM, Skip, bias):
    B, T, H, P = X.shape
    N = BM.shape[3]
    Y = np.zeros(X.shape)
    for b, h in each(B, H):
        g, S = h // (H // BM.shape[2]), np.zeros((P, N))
        for t in range(T):
            dt = _softplus(Step[b, t, h] + bias[h])
            S = np.exp(dt * A[h]) * S + dt * np.outer(X[b, t, h], BM[b, t, g])
            Y[b, t, h] = S @ CM[b, t, g] + Skip[h] * X[b, t, h]
    return {"Y": Y}


def s4d(U, LogA, AI, CR, CI, LogDt, Skip):
    """As a long convolution with the kernel 2 Re(C (e^{dt A} - 1) / A e^{l dt A})."""
    B, T, D = U.shape
    A = -np.exp(LogA) + 1j * AI
    step = np.exp(LogDt)[:, None] * A
    weight = (CR + 1j * CI) * (np.exp(step) - 1.0) / A
    kernel = np.stack([2.0 * (weight * np.exp(l * step)).sum(1).real for l in range(T)]).reshape(T, D)
    Y = np.zeros(U.shape)
    for b, t in each(B, T):
        Y[b, t] = Skip * U[b, t] + sum(kernel[t - s] * U[b, s] for s in range(t + 1))
    return {"Y": Y}


def mamba(U, Step, A, BM, CM, Skip, Z):
    B, T, D = U.shape
    Y = np.zeros(U.shape)
    for b, d in each(B, D):
        state = np.zeros(A.shape[1])
        for t in range(T):
            dt = _softplus(Step[b, t, d])
            state = np.exp(dt * A[d]) * state + dt * BM[b, t] * U[b, t, d]
            Y[b, t, d] = (CM[b, t] @ state + Skip[d] * U[b, t, d]) * _silu(Z[b, t, d])
    return {"Y": Y}


def rwkv6(R, K, V, W, U, S0=None):
    S, O = _start(R, V, S0), np.zeros(V.shape)
    for b, h in each(*R.shape[:2]):
        for t in range(R.shape[2]):
            write = np.outer(K[b, h, t], V[b, h, t])
            O[b, h, t] = R[b, h, t] @ (S[b, h] + U[h][:, None] * write)
            S[b, h] = np.exp(-np.exp(W[b, h, t]))[:, None] * S[b, h] + write
    return {"O": O, "ST": S}


def rwkv7(R, K, V, W, Kappa, Alpha):
    """S = (diag(w) - (kappa alpha) kappa^T) S + k v^T with an explicit transition matrix."""
    S, O = _start(R, V, None), np.zeros(V.shape)
    for b, h in each(*R.shape[:2]):
        for t in range(R.shape[2]):
            kappa = Kappa[b, h, t]
            decay = np.exp(-0.6065306597126334 * _sigmoid(W[b, h, t]))
            move = np.diag(decay) - np.outer(kappa * Alpha[b, h, t], kappa)
            S[b, h] = move @ S[b, h] + np.outer(K[b, h, t], V[b, h, t])
            O[b, h, t] = R[b, h, t] @ S[b, h]
    return {"O": O}


def hgrn(I, Forget, Gate, bound=0.1):
    Y = np.zeros(I.shape)
    for b in range(I.shape[0]):
        state = np.zeros(I.shape[2])
        for t in range(I.shape[1]):
            keep = bound + (1.0 - bound) * _sigmoid(Forget[b, t])
            state = keep * state + (1.0 - keep) * _silu(I[b, t])
            Y[b, t] = state * _silu(Gate[b, t])
    return {"Y": Y}


def abc(Q, K, V, C, scale=None):
    """By the definition: a softmax over the past for every slot, then one over the slots."""
    scale = default_scale(Q, scale)
    O = np.zeros(V.shape)
    for b, h, t in each(*Q.shape[:3]):
        write = np.stack([softmax(C[b, h, :t + 1, m]) for m in range(C.shape[3])])
        keys, values = write @ K[b, h, :t + 1], write @ V[b, h, :t + 1]
        O[b, h, t] = softmax(scale * (keys @ Q[b, h, t])) @ values
    return {"O": O}


def aaren(Q, K, V, scale=None):
    scale = default_scale(Q, scale)
    O = np.zeros(V.shape)
    for b, h, t in each(*V.shape[:3]):
        O[b, h, t], _ = attend(Q[h], K[b, h], V[b, h], range(t + 1), scale)
    return {"O": O}


def based(Q, K, V, scale=None):
    """Through the feature map [1, x, x (x) x / sqrt 2] and its running sums."""
    scale = default_scale(Q, scale)
    phi = lambda x: np.concatenate([[1.0], x, np.outer(x, x).ravel() / np.sqrt(2.0)])
    O = np.zeros(V.shape)
    for b, h in each(*Q.shape[:2]):
        S = Z = 0.0
        for t in range(Q.shape[2]):
            k = phi(K[b, h, t] * np.sqrt(scale))
            q = phi(Q[b, h, t] * np.sqrt(scale))
            S, Z = S + np.outer(k, V[b, h, t]), Z + k
            O[b, h, t] = q @ S / (q @ Z)
    return {"O": O}


def performer(Q, K, V, Omega):
    def features(x):
        y = x / x.shape[-1] ** 0.25
        return np.exp(y @ Omega.T - 0.5 * (y ** 2).sum(-1, keepdims=True)) / np.sqrt(Omega.shape[0])
    weights = features(Q) @ np.swapaxes(features(K), -1, -2)
    return {"O": (weights / weights.sum(-1, keepdims=True)) @ V}


def delta_former(Q, K, W, V, Beta, scale=None):
    scale = default_scale(Q, scale)
    H, T, _ = Q.shape
    O = np.zeros(V.shape)
    for h in range(H):
        lower = np.zeros((T, T))
        for t in range(1, T):
            lower[t, :t] = Beta[h, t] * softmax(scale * (K[h, :t] @ W[h, t]))
        U = np.linalg.solve(np.eye(T) + lower, V[h])
        for t in range(T):
            O[h, t], _ = attend(Q[h, t], K[h], U, range(t + 1), scale)
    return {"O": O}
