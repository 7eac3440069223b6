#!/usr/bin/env python3
"""Rules of the language, one small cascade each, with results worked out by hand or by plain loops.

    tests/semantics/run.py [--einfall build/bin/einfall]

Each entry names its rule and runs on both engines. Where a compiled target may refuse a construct by
name (ein-u1 .. u4) a refusal on the CPU counts as passed; a wrong value never does.
"""
import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TESTS = []
inf, nan = np.inf, np.nan


def rule(name, text, inputs, expected, *options):
    TESTS.append((name, text, inputs, expected, options))


def f32(*values):
    return np.array(values, np.float32)


def i32(*values):
    return np.array(values, np.int32)


A5 = f32(3, -1, 4, 1, 5)
GRID = (np.arange(12, dtype=np.float32).reshape(3, 4) - 5) / 2

# --- names, ranks, splits -----------------------------------------------------------------------
rule("r3 two variables of one rank", "cascade c(A[T] : f32) -> (O[T,T] : f32) { O[t,u in T] = A[t] - A[u] }",
     {"A": A5}, {"O": A5[:, None] - A5[None, :]})
rule("r6 ranks made one", "cascade c(A[M] : f32, B[P] : f32) -> (O[P] : f32) { rank M = P  O[p] = A[p] * B[p] }",
     {"A": A5, "B": A5}, {"O": A5 * A5})
rule("r6 concatenation", "cascade c(A[X] : f32, C[Z] : f32) -> (O[Y] : f32) { rank Y = |X| + |Z|"
     "  O[y in Y] = if y < |X| then A[y] else C[y-|X|] }", {"A": A5, "C": f32(7, 8)}, {"O": f32(3, -1, 4, 1, 5, 7, 8)})
rule("r7 a short last block", "cascade c(A[M] : f32) -> (O[N] : f32, K[N] : i32) { split M = (N, C = 2)"
     "  O[n] = sum[c] A[(n,c)]  K[n] = count[c] exists(A[(n,c)]) }", {"A": A5}, {"O": f32(2, 5, 5), "K": i32(2, 2, 1)})
rule("r7 three parts", "cascade c(A[M] : f32) -> (O[X,Y,Z] : f32) { split M = (X, Y = 2, Z = 2)  O[x,y,z] = A[(x,y,z)] }",
     {"A": A5}, {"O": f32(3, -1, 4, 1, 5, 0, 0, 0).reshape(2, 2, 2)})
rule("r7 expressions in a tuple", "cascade c(A[M] : f32) -> (O[N] : f32) { split M = (N, C = 2)  O[n] = (A[(n+1,0)] else -9) }",
     {"A": A5}, {"O": f32(4, 5, -9)})
rule("r7 written through a split", "cascade c(A[N,C] : f32) -> (O[M] : f32) { split M = (N, C)  O[(n,c)] = A[n,c] }",
     {"A": GRID}, {"O": GRID.ravel()})
rule("r9 one point more", "cascade c(ptr[B + 1] : i32, A[Z] : f32) -> (O[B] : f32) { O[b] = sum[z where ptr[b] <= z < ptr[b+1]] A[z] }",
     {"ptr": i32(0, 2, 2, 5), "A": A5}, {"O": f32(2, 0, 10)})
rule("r9 an extent from a scalar", "cascade c(n : index, A[M] : f32) -> (O[R] : f32) { rank R = n * 2  O[r] = A[r mod |M|] }",
     {"n": 4, "A": A5}, {"O": f32(3, -1, 4, 1, 5, 3, -1, 4)})
rule("r9 extent 0", "cascade c(A[M,E] : f32) -> (O[E] : f32, X[E] : f32) { O[e] = sum[m] A[m,e]  X[e] = max[m] A[m,e] }",
     {"A": np.zeros((0, 3), np.float32)}, {"O": f32(0, 0, 0), "X": f32(-inf, -inf, -inf)})
rule("r21 init before the start, beside a reduction in a short last block", "cascade c(A[T] : f32) -> (O[T] : f32) {"
     "  split T = (N, C = 2)  B[n] = B[n-1] + (sum[c] A[(n,c)]) init 10"
     "  W[n,c,d in C] = A[(n,c)] * A[(n,d)] where d <= c"
     "  O[(n,c)] = A[(n,c)] * B[n-1] + sum[d in C] W[n,c,d] * A[(n,d)] }",
     {"A": A5}, {"O": f32(57, -20, 112, 29, 210)})
rule("r7 nothing is stored beyond a short last block", "cascade c(Q[T,E] : f32, K[T,E] : f32, V[T,F] : f32) -> (O[T,F] : f32) {"
     "  split T = (N, C = 8)  S[n,c,d in C] = sum[e] Q[(n,c),e] * K[(n,d),e] where d <= c"
     "  A[n,c,d in C] = softmax(S[n,c,d]; d)  O[(n,c),f] = sum[d in C] A[n,c,d] * V[(n,d),f] }",
     {"Q": np.zeros((21, 4), np.float32), "K": np.ones((21, 4), np.float32),
      "V": np.repeat(np.arange(21, dtype=np.float32)[:, None], 5, 1)},
     {"O": np.repeat(np.array([(t // 8 * 8 + t) / 2 for t in range(21)], np.float32)[:, None], 5, 1)})
rule("a default for a tensor", "cascade c(A[M] : f32, B[M] : f32 = 0.5) -> (O[M] : f32) { O[m] = A[m] * B[m] }",
     {"A": A5}, {"O": A5 / 2})
rule("a parameter", "cascade c(A[M] : f32) -> (O[M] : f32) { param w : index = 1  O[m] = A[m] * w }", {"A": A5}, {"O": A5 * 3},
     "--param", "w=3")

# --- types and values ---------------------------------------------------------------------------
rule("r8 division is of floats", "cascade c(a[M] : i32) -> (O[M] : f32) { O[m] = a[m] / 2 }", {"a": i32(3, -3)}, {"O": f32(1.5, -1.5)})
rule("r8 div and mod floor", "cascade c(a[M] : i32) -> (D[M] : i32, R[M] : i32) { D[m] = a[m] div 3  R[m] = a[m] mod 3 }",
     {"a": i32(7, -7, -1, 3)}, {"D": i32(2, -3, -1, 1), "R": i32(1, 2, 2, 0)})
rule("r8 integer powers", "cascade c(A[M] : f32) -> (O[M] : i32) { O[m] = 2 ^ m - 3 }", {"A": A5}, {"O": i32(-2, -1, 1, 5, 13)})
rule("r8 casts", "cascade c(A[M] : f32) -> (O[M] : i32, I[M] : i8, B[M] : f32) { O[m] = cast<i32>(A[m])"
     "  I[m] = cast<i8>(A[m] * 100)  B[m] = cast<f32>(A[m] > 0) }", {"A": f32(1.9, -1.9, 300, -2.5)},
     {"O": i32(1, -1, 300, -2), "I": np.array([127, -128, 127, -128], np.int8), "B": f32(1, 0, 1, 0)})
rule("r8 floor, ceil and round are floats", "cascade c(A[M] : f32) -> (F[M] : f32, C[M] : f32, R[M] : f32) {"
     "  F[m] = floor(A[m])  C[m] = ceil(A[m])  R[m] = round(A[m]) }", {"A": f32(0.5, 1.5, 2.5, -0.5, -1.2)},
     {"F": f32(0, 1, 2, -1, -2), "C": f32(1, 2, 3, 0, -1), "R": f32(0, 2, 2, 0, -1)})
rule("r8 int4", "cascade c(q[M] : i4) -> (O[M] : f32) { O[m] = q[m] * 0.5 }", {"q": np.array([0x8F, 0x71], np.uint8)},
     {"O": f32(-0.5, -4, 0.5, 3.5)})
rule("r8 u8 and sums of integers", "cascade c(q[M] : u8) -> (O[R] : i64) { rank R = 1  O[r] = sum[m] q[m] * 1000000000 }",
     {"q": np.array([255, 255], np.uint8)}, {"O": np.array([510000000000])})
rule("r23 infinities", "cascade c(A[M] : f32) -> (O[M] : f32, S[M] : f32) { O[m] = A[m] - A[m]  S[m] = sign(A[m]) }",
     {"A": f32(inf, -inf, 0, 2)}, {"O": f32(nan, nan, 0, 0), "S": f32(1, -1, 0, 1)})
rule("r23 division by 0", "cascade c(a[M] : i32, A[M] : f32) -> (O[M] : i32 empty -7, F[M] : f32) {"
     "  O[m] = 12 div a[m]  F[m] = A[m] / cast<f32>(a[m]) }", {"a": i32(5, 0, -5), "A": f32(1, 1, 1)},
     {"O": i32(2, -7, -3), "F": f32(0.2, inf, -0.2)})
rule("r23 clamp and bits", "cascade c(a[M] : i32) -> (C[M] : i32, L[M] : i32, X[M] : i32) { C[m] = clamp(a[m], -1, 6)"
     "  L[m] = bit_length(a[m])  X[m] = bit_xor(bit_and(a[m], 6), 1) }", {"a": i32(0, 1, 5, 8, 200)},
     {"C": i32(0, 1, 5, 6, 6), "L": i32(0, 1, 3, 4, 8), "X": i32(1, 1, 5, 1, 1)})
rule("r23 a NaN stays where it is", "cascade c(A[P,M] : f32) -> (O[P] : f32) { O[p] = sum[m where m <= p] A[p,m] }",
     {"A": f32(1, nan, nan, 1, 2, nan, 1, nan, 3).reshape(3, 3)}, {"O": f32(1, 3, nan)})
rule("r23 gelu", "cascade c(A[M] : f32) -> (O[M] : f32) { O[m] = gelu(A[m]) }", {"A": f32(0, 1, -1, 3)},
     {"O": f32(0, 0.8413447, -0.15865526, 2.9959503)})

# --- reductions -----------------------------------------------------------------------------------
rule("r10 a big sigma takes its product", "cascade c(A[M,K] : f32) -> (O[M] : f32) { O[m] = sum[k] A[m,k] * 2 + 1 }",
     {"A": GRID}, {"O": GRID.sum(1) * 2 + 1})
rule("r10 a filter", "cascade c(A[M] : f32) -> (O[P] : f32) { rank P = |M|  O[p] = sum[m where m < p and A[m] > 0] A[m] }",
     {"A": A5}, {"O": f32(0, 3, 3, 7, 8)})
rule("r12 implied, over a quotient", "cascade c(A[M,K] : f32, D[M] : f32) -> (O[M] : f32) { O[m] = -A[m,k] / D[m] }",
     {"A": GRID, "D": f32(1, 2, 4)}, {"O": -GRID.sum(1) / f32(1, 2, 4)})
rule("r17 empty rows", "cascade c(A[M,K] : f32) -> (S[M] : f32, P[M] : f32, X[M] : f32, N[M] : f32, E[M] : f32 empty 8) {"
     "  S[m] = sum[k where k < m] A[m,k]  P[m] = prod[k where k < m] A[m,k]  X[m] = max[k where k < m] A[m,k]"
     "  N[m] = min[k where k < m] A[m,k]  E[m] = mean[k where k < m] A[m,k] }", {"A": GRID},
     {"S": f32(0, -0.5, 3.5), "P": f32(1, -0.5, 3), "X": f32(-inf, -0.5, 2), "N": f32(inf, -0.5, 1.5), "E": f32(8, -0.5, 1.75)})
rule("r17 all or nothing", "cascade c(A[M] : f32, B[K] : f32) -> (O[M] : f32 empty -1, Q[M] : f32) {"
     "  O[m] = sum[k] A[m+1] * B[k]  Q[m] = sum[k] (A[m+1] else 0) * B[k] }", {"A": f32(1, 2, 3), "B": f32(1, 10)},
     {"O": f32(22, 33, -1), "Q": f32(22, 33, 0)})
rule("r17 the points that exist", "cascade c(A[M] : f32) -> (O[P] : f32) { rank P = |M|  O[p] = sum[k in M] A[p-k] }",
     {"A": A5}, {"O": f32(3, 2, 6, 7, 12)})
rule("r18 any, all, count", "cascade c(A[M,K] : f32) -> (Y[M] : bool, L[M] : bool, N[M] : i32) { Y[m] = any[k] (A[m,k] > 1)"
     "  L[m] = all[k where k > 0] (A[m,k] > -2)  N[m] = count[k] (A[m,k] >= 0) }", {"A": GRID},
     {"Y": np.array([0, 0, 1], bool), "L": np.array([0, 1, 1], bool), "N": i32(0, 3, 4)})
rule("r18 argmax, argmin, ties", "cascade c(A[M,K] : f32) -> (X[M] : i32, N[M] : i32) { X[m] = argmax[k] A[m,k]  N[m] = argmin[k] A[m,k] }",
     {"A": f32(1, 3, 3, 0, 0, 2, 2, 2, 2).reshape(3, 3)}, {"X": i32(1, 2, 0), "N": i32(0, 0, 0)})
rule("r18 argmax of nothing", "cascade c(A[M] : f32) -> (X[P] : i32 empty -1) { rank P = 2  X[p] = argmax[m where m < p * 3] A[m] }",
     {"A": A5}, {"X": i32(-1, 2)})
rule("r18 argsort", "cascade c(A[M] : f32) -> (O[S] : i32 empty -1) { rank S = 7  O[s] = argsort[m; s] A[m] }",
     {"A": f32(2, nan, 3, 2, -1)}, {"O": i32(2, 0, 3, 4, 1, -1, -1)})
rule("r18 coordinates", "cascade c(A[M] : f32) -> (O[S] : i32 empty -1) { rank S = 4  O[s] = coordinates[m; s] (A[m] > 2) }",
     {"A": A5}, {"O": i32(0, 2, 4, -1)})
rule("r18 running sums", "cascade c(A[M] : f32) -> (S[M] : f32, P[M] : f32, X[M] : f32, N[M] : f32) { S[m] = cumsum[m] A[m]"
     "  P[m] = cumprod[m] A[m]  X[m] = cummax[m] A[m]  N[m] = cummin[m] A[m] }", {"A": A5},
     {"S": np.cumsum(A5), "P": np.cumprod(A5), "X": np.maximum.accumulate(A5), "N": np.minimum.accumulate(A5)})
rule("r18 place", "cascade c(A[M] : f32) -> (O[M] : i32) { O[m] = place[m] A[m] }", {"A": f32(2, 5, 2, nan, 7)}, {"O": i32(2, 1, 3, 4, 0)})
rule("r18 top", "cascade c(A[M] : f32) -> (O[M] : bool, L[M] : bool) { O[m] = top[m; 2] A[m]  L[m] = top[m; 9] A[m] }",
     {"A": f32(2, 5, 5, 5, 1)}, {"O": np.array([0, 1, 1, 0, 0], bool), "L": np.ones(5, bool)})
rule("r18 top of the points that exist", "cascade c(A[M] : f32) -> (O[M] : bool) { B[m] = A[m] where m != 1  O[m] = top[m; 2] B[m] }",
     {"A": f32(2, 5, 4, 3, 1)}, {"O": np.array([0, 0, 1, 1, 0], bool)})
rule("r18 top_mass", "cascade c(A[M] : f32) -> (O[M] : bool, L[M] : bool) { O[m] = top_mass[m; 0.7] A[m]  L[m] = top_mass[m; 2.0] A[m] }",
     {"A": f32(1, 4, 2, 3)}, {"O": np.array([0, 1, 0, 1], bool), "L": np.ones(4, bool)})
rule("r18 joint selection", "cascade c(A[M,K] : f32) -> (O[M,K] : bool) { O[m,k] = top[m, k; 3] A[m,k] }", {"A": f32(5, 1, 7, 3, 5, 0).reshape(2, 3)},
     {"O": np.array([[1, 0, 1], [0, 1, 0]], bool)})
rule("r18 a run-time k", "cascade c(A[M] : f32, k : i32) -> (O[M] : bool) { O[m] = top[m; k] A[m] }", {"A": A5, "k": 3},
     {"O": np.array([1, 0, 1, 0, 1], bool)})

# --- existence ------------------------------------------------------------------------------------
rule("r14 out of range", "cascade c(A[M] : f32) -> (O[M] : f32 empty -5) { O[m] = A[m-1] + A[m+1] }", {"A": A5}, {"O": f32(-5, 7, 0, 9, -5)})
rule("r14 a gather", "cascade c(A[M] : f32, ix[P] : i32) -> (O[P] : f32 empty -5) { O[p] = 2 * A[ix[p]] }",
     {"A": A5, "ix": i32(4, -1, 0, 5, 99)}, {"O": f32(10, -5, 6, -5, -5)})
rule("r14 if reads one branch", "cascade c(A[M] : f32) -> (O[M] : f32) { O[m] = if m > 0 then A[m-1] else 50 }", {"A": A5}, {"O": f32(50, 3, -1, 4, 1)})
rule("r14 else", "cascade c(A[M] : f32) -> (O[M] : f32) { B[m] = A[m] where m mod 2 == 0  O[m] = (B[m] else -A[m]) + 1 }",
     {"A": A5}, {"O": f32(4, 2, 5, 0, 6)})
rule("r15 bools always have a value", "cascade c(A[M] : f32) -> (O[M] : bool, N[M] : bool) { O[m] = A[m-1] < 100  N[m] = not (A[m-1] < 100) }",
     {"A": A5}, {"O": np.array([0, 1, 1, 1, 1], bool), "N": np.array([1, 0, 0, 0, 0], bool)})
rule("r15 a table out of range", "cascade c(A[M] : f32, T[K] : bool) -> (O[M] : f32) { O[m] = A[m] where T[m-2] }",
     {"A": A5, "T": np.array([1, 0, 1], bool)}, {"O": f32(0, 0, 4, 0, 5)})
rule("r16 exists", "cascade c(A[M] : f32) -> (O[M] : bool) { B[m] = A[m] where A[m] > 2  O[m] = exists(B[m]) }", {"A": A5},
     {"O": np.array([1, 0, 1, 0, 1], bool)})
rule("r17 a masked row", "cascade c(A[P,M] : f32) -> (O[P] : f32, L[P] : f32) { S[p,m] = A[p,m] where m < p  X[p] = max[m] S[p,m]"
     "  N[p,m] = exp(S[p,m] - X[p])  D[p] = sum[m] N[p,m]  W[p,m] = N[p,m] / D[p]  O[p] = W[p,m] * A[p,m]  L[p] = X[p] + log(D[p]) }",
     {"A": f32(nan, nan, 1, nan, 2, 2).reshape(3, 2)}, {"O": f32(0, 1, 2), "L": f32(-inf, 1, 2 + np.log(2))})
rule("r19 empty", "cascade c(A[M] : f32) -> (O[M] : f32 empty -inf, B[M] : bool) { O[m] = A[m] where A[m] > 0  B[m] = A[m] > 0 where m > 2 }",
     {"A": A5}, {"O": f32(3, -inf, 4, 1, 5), "B": np.array([0, 0, 0, 1, 1], bool)})
rule("r19 unwritten points of a split", "cascade c(A[N] : f32) -> (O[M] : f32 empty 9) { split M = (N, C = 2)  O[(n,c)] = A[n] where c == 0 }",
     {"A": f32(1, 2)}, {"O": f32(1, 9, 2, 9)})

# --- recurrences ----------------------------------------------------------------------------------
rule("r20 two steps back", "cascade c(A[T] : f32) -> (F[T] : f32) { F[t] = F[t-1] + F[t-2] + A[t]  init 1 }", {"A": f32(0, 0, 0, 0)},
     {"F": f32(2, 3, 5, 8)})
rule("r20 backwards", "cascade c(A[T] : f32) -> (R[T] : f32) { R[t] = 0.5 * R[t+1] + A[t]  init 8 }", {"A": f32(1, 1, 1)},
     {"R": f32(2.75, 3.5, 5)})
rule("r20 through a sum", "cascade c(A[T] : f32) -> (R[T] : f32) { R[t] = A[t] + sum[u where u < t] R[u] }", {"A": f32(1, 1, 1, 1)},
     {"R": f32(1, 2, 4, 8)})
rule("r20 two ranks", "cascade c(A[X,Y] : f32) -> (R[X,Y] : f32) { R[x,y] = A[x,y] + (R[x-1,y] else 0) + (R[x,y-1] else 0) }",
     {"A": np.ones((3, 3), np.float32)}, {"R": f32(1, 2, 3, 2, 5, 9, 3, 9, 19).reshape(3, 3)})
rule("r20 a cycle of three", "cascade c(A[T] : f32) -> (R[T] : f32) { P[t] = 2 * R[t-1]  Q[t] = P[t] + A[t]  R[t] = Q[t] - 1  init 1 }",
     {"A": f32(1, 2, 3)}, {"R": f32(2, 5, 12)})
rule("r20 else ends the step", "cascade c(A[T] : f32) -> (R[T] : f32) { R[t] = A[t] + 2 * (R[t-1] else 10) }", {"A": f32(1, 1)}, {"R": f32(21, 43)})
rule("r21 init of other variables", "cascade c(A[T,E] : f32, S0[E] : f32) -> (S[T,E] : f32) { S[t,e] = S[t-1,e] + A[t,e]  init S0[e] }",
     {"A": np.ones((2, 2), np.float32), "S0": f32(10, 20)}, {"S": f32(11, 21, 12, 22).reshape(2, 2)})
rule("r21 every reader sees init", "cascade c(A[T] : f32) -> (O[T] : f32, L[R] : f32) { rank R = 1  S[t] = S[t-1] + A[t]  init 7"
     "  O[t] = S[t-1]  L[r] = S[|T|-1] }", {"A": f32(1, 2, 3)}, {"O": f32(7, 8, 10), "L": f32(13)})
rule("r21 no step at all", "cascade c(A[T,E] : f32) -> (L[E] : f32) { S[t,e] = S[t-1,e] + A[t,e]  init 7  L[e] = S[|T|-1,e] }",
     {"A": np.zeros((0, 2), np.float32)}, {"L": f32(7, 7)})

# --- functions ------------------------------------------------------------------------------------
rule("r22 replacing a variable", "fn flip(x; e) { return x[e = |e| - 1 - e] }  cascade c(A[M,E] : f32) -> (O[M,E] : f32) { O[m,e] = flip(A[m,e]; e) }",
     {"A": GRID}, {"O": GRID[:, ::-1]})
rule("r22 locals and own variables", "fn center(x; e) { m = mean[e] x  return x - m }  cascade c(A[M] : f32) -> (O[M] : f32) { O[m] = center(A[m]; m) }",
     {"A": A5}, {"O": A5 - A5.mean()})
rule("r22 a file hides the prelude", "fn softmax(x) { return x + 1 }  cascade c(A[M] : f32) -> (O[M] : f32) { O[m] = softmax(A[m]) }",
     {"A": A5}, {"O": A5 + 1})
rule("prelude softmax and logsumexp", "cascade c(A[M] : f32) -> (O[M] : f32, L[R] : f32) { rank R = 1  O[m] = softmax(A[m]; m)  L[r] = logsumexp(A[m]; m) }",
     {"A": f32(0, 0, -inf)}, {"O": f32(0.5, 0.5, 0), "L": f32(np.log(2))})

# --- rewrites that must not change a value ----------------------------------------------------------
TABLE = f32(0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0, 1, 0.75).reshape(3, 4)
WEIGHTS = np.exp(TABLE) / np.exp(TABLE).sum(1, keepdims=True)
ROW = "X[p] = max[m] S[p,m]  N[p,m] = exp(S[p,m] - X[p])  D[p] = sum[m] N[p,m]  A[p,m] = N[p,m] / D[p]  "
rule("a row read forwards and backwards", "cascade c(B[P,M] : f32) -> (O[P] : f32) { T[p,m] = 2 * B[p,m]  S[p,m] = 0.5 * T[p,|M|-1-m]  "
     + ROW + "O[p] = sum[m] A[p,m] * T[p,m] }", {"B": TABLE}, {"O": (WEIGHTS[:, ::-1] * 2 * TABLE).sum(1)})
rule("a filter on a weight of the same row", "cascade c(S[P,M] : f32) -> (O[P] : f32) { " + ROW + "O[p] = sum[m where A[p,m] >= 0.3] A[p,m] }",
     {"S": TABLE}, {"O": np.where(WEIGHTS >= 0.3, WEIGHTS, 0).sum(1)})
rule("a filter on a weight of a masked row", "cascade c(B[P,M] : f32) -> (O[P] : f32) { S[p,m] = B[p,m] where m <= p + 1  " + ROW
     + "O[p] = sum[m where A[p,m] >= 0.3] A[p,m] }", {"B": TABLE},
     {"O": np.array([sum(w for w in np.exp(r[:n]) / np.exp(r[:n]).sum() if w >= 0.3) for r, n in zip(TABLE.astype(float), (2, 3, 4))])})
rule("a filter that reads an intermediate", "cascade c(I[B,A] : i32) -> (O[A,B] : f32) { T[b,a] = I[b,a] + 1"
     "  O[a,b] = sum[a2 in A where a != T[b,a2]] 1.5 }", {"I": i32(1, 0, 2, 0, 1, 2).reshape(2, 3)},
     {"O": f32(4.5, 4.5, 3, 3, 3, 3).reshape(3, 2)})
rule("a softmax over a concatenation", "cascade c(Y[P,L] : f32, Z[P,M] : f32) -> (O[P] : f32, W[P] : f32) { rank U = |L| + |M|"
     "  S[p,u in U] = if u < |L| then Y[p,u] else Z[p,u-|L|]  X[p] = max[u] S[p,u]  N[p,u] = exp(S[p,u] - X[p])"
     "  D[p] = sum[u] N[p,u]  O[p] = sum[u] N[p,u] / D[p] * S[p,u]  W[p] = D[p] }", {"Y": TABLE[:, :3], "Z": TABLE[:, 3:]},
     {"O": (WEIGHTS * TABLE).sum(1), "W": np.exp(TABLE - TABLE.max(1, keepdims=True)).sum(1)})
rule("maxima of blocks and of the row", "cascade c(S[P,M] : f32, V[M] : f32) -> (O[P] : f32) { split M = (N, C = 2)  L[p,n] = max[c] S[p,(n,c)]"
     "  W[p,n,c] = exp(S[p,(n,c)] - L[p,n])  X[p] = max[n] L[p,n]  R[p,n] = exp(L[p,n] - X[p])"
     "  O[p] = sum[n, c] W[p,n,c] * R[p,n] * V[(n,c)] }", {"S": TABLE, "V": f32(1, 2, 3, 4)},
     {"O": np.exp(TABLE - TABLE.max(1, keepdims=True)) @ f32(1, 2, 3, 4)})


def run(program, test, engine, folder):
    name, text, inputs, expected, options = test
    folder.mkdir()
    (folder / "program.ein").write_text(text + "\n")
    command = [program, "run", str(folder / "program.ein"), "--engine", engine, *options]
    for key, value in inputs.items():
        if isinstance(value, np.ndarray):
            np.save(folder / f"{key}.npy", value)
            value = folder / f"{key}.npy"
        command += ["--in", f"{key}={value}"]
    for key in expected:
        command += ["--out", f"{key}={folder / ('out_' + key)}.npy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        if engine == "cpu" and done.returncode == 1 and re.search(r"ein-u[1-4]", done.stderr):
            return None
        return f"exit {done.returncode}: " + " | ".join(done.stderr.strip().splitlines()[:3])
    for key, want in expected.items():
        got = np.load(folder / f"out_{key}.npy")
        if got.shape != want.shape:
            return f"{key} has shape {got.shape}, not {want.shape}"
        if not np.allclose(got.astype(float), want.astype(float), rtol=1e-5, atol=1e-6, equal_nan=True):
            return f"{key} is {got.tolist()}, not {want.tolist()}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--einfall", default=str(ROOT / "build" / "bin" / "einfall"))
    parser.add_argument("--engine", action="append", choices=["interp", "cpu"])
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        scratch = pathlib.Path(scratch)
        jobs = [(test[0], engine, pool.submit(run, args.einfall, test, engine, scratch / f"{i}_{engine}"))
                for i, test in enumerate(TESTS) for engine in args.engine or ["interp", "cpu"]]
        for name, engine, job in jobs:
            complaint = job.result()
            passed += complaint is None
            failed += complaint is not None
            if complaint:
                print(f"FAIL {name} ({engine}): {complaint}")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
