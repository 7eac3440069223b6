"""References of decode: one query a sequence, caches in pages, in low precision, or in splits."""
import numpy as np

from .rows import attend, default_scale, each, lse, softmax


def _gather(pages, table, length, size):
    """Rows 0 .. length-1 of one sequence, in order."""
    rows = [pages[int(table[m // size]), m % size] for m in range(length)]
    return np.array(rows).reshape((length,) + pages.shape[2:])


def paged_decode(Q, KP, VP, page, len, scale=None):
    scale = default_scale(Q, scale)
    B, H, E = Q.shape
    C, J = KP.shape[1], KP.shape[2]
    O, L = np.zeros((B, H, VP.shape[3])), np.zeros((B, H))
    for b in range(B):
        n = min(int(len[b]), page.shape[1] * C)
        K, V = _gather(KP, page[b], n, C), _gather(VP, page[b], n, C)
        for h in range(H):
            j = h // (H // J)
            O[b, h], L[b, h] = attend(Q[b, h], K[:, j], V[:, j], range(n), scale)
    return {"O": O, "LSE": L}


def paged_int8(Q, KQ, KS, VQ, VS, page, len, scale=None):
    """Dequantise everything, then attend."""
    return {"O": paged_decode(Q, KQ * KS[..., None], VQ * VS[..., None], page, len, scale)["O"]}


def fp8_decode(Q, K, V, KS, VS, len, scale=None):
    scale = default_scale(Q, scale)
    B, H, _ = Q.shape
    J = K.shape[1]
    O = np.zeros((B, H, V.shape[3]))
    for b, h in each(B, H):
        j = h // (H // J)
        n = min(int(len[b]), K.shape[2])
        O[b, h], _ = attend(Q[b, h], KS[j] * K[b, j], VS[j] * V[b, j], range(n), scale)
    return {"O": O}


def int4_decode(Q, KQ, KS, KZ, VQ, VS, VZ, scale=None, C=32):
    scale = default_scale(Q, scale)
    B, H, _ = Q.shape
    J, M = KQ.shape[1], KQ.shape[2]
    group = np.arange(M) // C
    O = np.zeros((B, H, VQ.shape[3]))
    for b, h in each(B, H):
        j = h // (H // J)
        K = KQ[b, j] * KS[b, j][group] + KZ[b, j][group]
        V = VQ[b, j] * VS[b, j][:, None] + VZ[b, j][:, None]
        O[b, h], _ = attend(Q[b, h], K, V, range(M), scale)
    return {"O": O}


def split_kv(Q, K, V, scale=None, C=256):
    scale = default_scale(Q, scale)
    O = np.zeros(Q.shape[:2] + V.shape[3:])
    for b, h in each(*Q.shape[:2]):
        O[b, h], _ = attend(Q[b, h], K[b, h], V[b, h], range(K.shape[2]), scale)
    return {"O": O}


def fusemax(Q, K, V, scale=None, C=64):
    scale = default_scale(Q, scale)
    P, M = Q.shape[0], K.shape[0]
    O = np.zeros((P, V.shape[1]))
    for p in range(P):
        O[p], _ = attend(Q[p], K, V, range(max(0, p + M - P + 1)), scale)
    return {"O": O}


def local_max(Q, K, V, scale=None, C=32):
    scale, P, M = default_scale(Q, scale), Q.shape[2], K.shape[2]
    O = np.zeros(Q.shape[:3] + V.shape[3:])
    for b, h, p in each(*Q.shape[:3]):
        O[b, h, p], _ = attend(Q[b, h, p], K[b, h], V[b, h], range(max(0, p + M - P + 1)), scale)
    return {"O": O}
