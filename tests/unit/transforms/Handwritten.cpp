#include "Case.h"

namespace einfall {

const std::vector<Named> &handwritten() {
  static const std::vector<Named> list = {
      {"softmax", R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  S[p,m] = Q[p,e] * K[m,e]
  X[p]   = max[m] S[p,m]
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = sum[m] N[p,m]
  A[p,m] = N[p,m] / D[p]
  O[p,f] = A[p,m] * V[m,f]
})"},
      {"softmax inline", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  O[p,f] = softmax(S[p,m]; m) * V[m,f]
})"},
      {"causal, inline, with log-sum-exp",
       R"(cascade c(Q[B,P,E] : f64, K[B,M,E] : f64, V[B,M,F] : f64) -> (O[B,P,F] : f64, LSE[B,P] : f64) {
  S[b,p,m] = Q[b,p,e] * K[b,m,e]   where m <= p + |M| - |P|
  O[b,p,f] = softmax(S[b,p,m]; m) * V[b,m,f]
  LSE[b,p] = logsumexp(S[b,p,m]; m)
})"},
      {"grouped queries",
       R"(cascade c(Q[B,H,P,E] : f64, K[B,J,M,E] : f64, V[B,J,M,F] : f64, scale : f64 = 1 / sqrt(|E|))
    -> (O[B,H,P,F] : f64, LSE[B,H,P] : f64) {
  split H = (J, G)
  S[b,j,g,p,m] = scale * Q[b,(j,g),p,e] * K[b,j,m,e]   where m <= p + |M| - |P|
  X[b,j,g,p]   = max[m] S[b,j,g,p,m]
  N[b,j,g,p,m] = exp(S[b,j,g,p,m] - X[b,j,g,p])
  D[b,j,g,p]   = sum[m] N[b,j,g,p,m]
  A[b,j,g,p,m] = N[b,j,g,p,m] / D[b,j,g,p]
  O[b,(j,g),p,f] = A[b,j,g,p,m] * V[b,j,m,f]
  LSE[b,(j,g),p] = X[b,j,g,p] + log(D[b,j,g,p])
})"},
      {"self-attention",
       R"(cascade c(Q[B,H,T,E] : f64, K[B,H,T,E] : f64, V[B,H,T,F] : f64) -> (O[B,H,T,F] : f64) {
  S[b,h,t,u] = Q[b,h,t,e] * K[b,h,u,e]   where u <= t
  O[b,h,t,f] = softmax(S[b,h,t,u]; u) * V[b,h,u,f]
})"},
      {"entropy", R"(cascade c(Q[P,E] : f64, K[M,E] : f64) -> (H[P] : f64, G[P] : f64) {
  S[p,m] = Q[p,e] * K[m,e]
  X[p]   = max[m] S[p,m]
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = sum[m] N[p,m]
  A[p,m] = N[p,m] / D[p]
  H[p]   = log(D[p]) - sum[m] A[p,m] * (S[p,m] - X[p])
  G[p]   = -sum[m] A[p,m] * log(A[p,m])
})"},
      {"weighted variance",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64) -> (Mu[P,F] : f64, Var[P,F] : f64) {
  S[p,m]   = Q[p,e] * K[m,e]
  X[p]     = max[m] S[p,m]
  N[p,m]   = exp(S[p,m] - X[p])
  D[p]     = sum[m] N[p,m]
  A[p,m]   = N[p,m] / D[p]
  Mu[p,f]  = A[p,m] * V[m,f]
  Var[p,f] = sum[m] A[p,m] * (V[m,f] - Mu[p,f]) * (V[m,f] - Mu[p,f])
})"},
      {"central moments", R"(cascade c(Y[P,M] : f64) -> (Mu[P] : f64, Var[P] : f64, Skew[P] : f64) {
  Mu[p]   = mean[m] Y[p,m]
  Var[p]  = mean[m] (Y[p,m] - Mu[p])^2
  Skew[p] = sum[m] (Y[p,m] - Mu[p])^3
})"},
      {"differential",
       R"(cascade c(Q1[P,E] : f64, K1[M,E] : f64, Q2[P,E] : f64, K2[M,E] : f64, V[M,F] : f64, w : f64)
    -> (O[P,F] : f64) {
  A1[p,m] = softmax(sum[e] Q1[p,e] * K1[m,e]; m)
  A2[p,m] = softmax(sum[e] Q2[p,e] * K2[m,e]; m)
  O[p,f]  = sum[m] (A1[p,m] - w * A2[p,m]) * V[m,f]
})"},
      {"two key sets",
       R"(cascade c(Q[P,E] : f64, K1[L,E] : f64, K2[M,E] : f64, V1[L,F] : f64, V2[M,F] : f64) -> (O[P,F] : f64) {
  rank U = |L| + |M|
  S1[p,l] = Q[p,e] * K1[l,e]
  S2[p,m] = Q[p,e] * K2[m,e]   where m <= p
  S[p,u in U] = if u < |L| then S1[p,u] else S2[p,u-|L|]
  W[u in U,f] = if u < |L| then V1[u,f] else V2[u-|L|,f]
  O[p,f] = softmax(S[p,u]; u) * W[u,f]
})"},
      {"three key sets",
       R"(cascade c(Q[P,E] : f64, K1[L,E] : f64, K2[M,E] : f64, K3[R,E] : f64, V1[L,F] : f64, V2[M,F] : f64,
          V3[R,F] : f64) -> (O[P,F] : f64, X[P] : f64) {
  rank U = |L| + |M| + |R|
  S[p,u in U] = if u < |L| then (sum[e] Q[p,e] * K1[u,e]) else if u < |L| + |M| then (sum[e] Q[p,e] * K2[u-|L|,e])
                else (sum[e] Q[p,e] * K3[u-|L|-|M|,e])
  W[u in U,f] = if u < |L| then V1[u,f] else if u < |L| + |M| then V2[u-|L|,f] else V3[u-|L|-|M|,f]
  X[p]   = max[u] S[p,u]
  N[p,u] = exp(S[p,u] - X[p])
  D[p]   = sum[u] N[p,u]
  A[p,u] = N[p,u] / D[p]
  O[p,f] = A[p,u] * W[u,f]
})"},
      {"a maximum over both key sets, a sum over one",
       R"(cascade c(S1[P,L] : f64, S2[P,M] : f64, V[L,F] : f64) -> (D[P] : f64, O[P,F] : f64, X[P] : f64) {
  rank U = |L| + |M|
  S[p,u in U] = if u < |L| then S1[p,u] else S2[p,u-|L|]
  X[p]   = max[u] S[p,u]
  N[p,l] = exp(S1[p,l] - X[p])
  D[p]   = sum[l] N[p,l]
  O[p,f] = N[p,l] * V[l,f]
})"},
      {"selected blocks", R"(cascade c(Q[T,E] : f64, K[T,E] : f64, V[T,F] : f64) -> (O[T,F] : f64) {
  split T = (N, C = 3)
  KM[n,e]    = mean[c] K[(n,c),e]
  R[t,n]     = if n == t div |C| then inf else sum[e] Q[t,e] * KM[n,e]   where n <= t div |C|
  Sel[t,n]   = top[n; 2] R[t,n]
  S[t,(n,c)] = Q[t,e] * K[(n,c),e]   where Sel[t,n] and n * |C| + c <= t
  X[t]       = max[u] S[t,u]
  W[t,u]     = exp(S[t,u] - X[t])
  D[t]       = sum[u] W[t,u]
  A[t,u]     = W[t,u] / D[t]
  O[t,f]     = A[t,u] * V[u,f]
})"},
      {"a reduction over both parts of a split",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64) -> (X[P] : f64, D[P] : f64) {
  split M = (N, C = 3)
  S[p,n,c] = Q[p,e] * K[(n,c),e]
  X[p]     = max[n, c] S[p,n,c]
  D[p]     = sum[n, c] exp(S[p,n,c] - X[p])
})"},
      {"blocks of keys, each a softmax",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64) -> (O[P,N,F] : f64) {
  split M = (N, C = 3)
  S[p,n,c] = Q[p,e] * K[(n,c),e]
  X[p,n]   = max[c] S[p,n,c]
  W[p,n,c] = exp(S[p,n,c] - X[p,n])
  D[p,n]   = sum[c] W[p,n,c]
  O[p,n,f] = sum[c] W[p,n,c] / D[p,n] * V[(n,c),f]
})"},
      {"rows without keys",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64, Len[P] : i32) -> (O[P,F] : f64, LSE[P] : f64, A[P,M] : f64) {
  S[p,m] = Q[p,e] * K[m,e]   where m < Len[p] - 1
  X[p]   = max[m] S[p,m]
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = sum[m] N[p,m]
  A[p,m] = N[p,m] / D[p]
  O[p,f] = A[p,m] * V[m,f]
  LSE[p] = X[p] + log(D[p])
})"},
      {"keys that are missing", R"(cascade c(Q[P,E] : f64, K[P,E] : f64, V[P,F] : f64) -> (O[P,F] : f64) {
  rank W = 4
  S[p,w] = Q[p,e] * K[p-w,e]
  O[p,f] = softmax(S[p,w]; w) * V[p-w,f]
})"},
      {"a value chosen where a score is missing",
       R"(cascade c(S[P,M] : f64, Keep[M] : bool) -> (D[P] : f64, C[P] : f64) {
  T[p,m] = S[p,m]   where Keep[m] and m <= p
  Y[p,m] = (T[p,m] else -1)
  X[p]   = max[m] Y[p,m]
  D[p]   = sum[m] exp(Y[p,m] - X[p])
  Z[p]   = sum[m] T[p,m]
  C[p]   = sum[m] T[p,m] / Z[p]
})"},
      {"means under a mask",
       R"(cascade c(S[P,M] : f64, Keep[P,M] : bool, V[M,F] : f64) -> (Mu[P] : f64, Dev[P] : f64, O[P,F] : f64) {
  T[p,m]  = S[p,m]   where Keep[p,m]
  Mu[p]   = mean[m] T[p,m]
  Dev[p]  = sqrt(mean[m] (T[p,m] - Mu[p])^2)
  O[p,f]  = sum[m] (T[p,m] - Mu[p]) * V[m,f]
})"},
      {"counts",
       R"(cascade c(S[P,M] : f64, Keep[P,M] : bool) -> (C[P] : i64, A[P] : bool, E[P] : bool, G[P] : i64, Y[P] : f64) {
  T[p,m] = S[p,m]   where Keep[p,m]
  B[p,m] = T[p,m] > 0.2   where m != 1
  C[p]   = count[m] B[p,m]
  A[p]   = any[m] B[p,m]
  E[p]   = all[m where m != 1] B[p,m]
  G[p]   = count[m] exists(T[p,m])
  Y[p]   = sum[m] T[p,m] / cast<f64>(G[p])
})"},
      {"bools with a mask of their own",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64) -> (C[P] : i64, N[P] : i64, D[P] : f64) {
  S[p,m] = Q[p,e] * K[m,e]   where m <= p
  X[p]   = max[m] S[p,m]
  B[p,m] = S[p,m] > X[p] - 1   where m != 0
  C[p]   = count[m] B[p,m]
  N[p]   = count[m] (not B[p,m])
  D[p]   = sum[m where B[p,m]] S[p,m]
})"},
      {"a temperature of the row",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64, W[E] : f64) -> (O[P,F] : f64) {
  Temp[p] = exp(tanh(sum[e] Q[p,e] * W[e]))
  S[p,m]  = Q[p,e] * K[m,e] / Temp[p]
  O[p,f]  = softmax(S[p,m]; m) * V[m,f]
})"},
      {"a sink", R"(cascade c(S[P,M] : f64, V[M,F] : f64, sink : f64) -> (O[P,F] : f64) {
  X[p]   = max(sink, max[m] S[p,m])
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = exp(sink - X[p]) + sum[m] N[p,m]
  O[p,f] = sum[m] N[p,m] / D[p] * V[m,f]
})"},
      {"base two", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  X[p]   = max[m] S[p,m]
  N[p,m] = exp2(S[p,m] - X[p])
  D[p]   = sum[m] N[p,m]
  O[p,f] = sum[m] N[p,m] * V[m,f] / D[p]
})"},
      {"a minimum as reference", R"(cascade c(S[P,M] : f64) -> (D[P] : f64, L[P] : f64) {
  X[p] = min[m] S[p,m]
  D[p] = sum[m] exp(X[p] - S[p,m])
  L[p] = max[m] (S[p,m] - X[p])
})"},
      {"two softmaxes over the same keys",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64, W[M,G] : f64) -> (O[P,F] : f64, U[P,G] : f64) {
  S[p,m] = Q[p,e] * K[m,e]
  O[p,f] = softmax(S[p,m]; m) * V[m,f]
  U[p,g] = softmax(0.5 * S[p,m]; m) * W[m,g]
})"},
      {"a softmax over queries and one over keys",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64, U[P,F] : f64)
    -> (O[P,F] : f64, R[M,F] : f64) {
  S[p,m] = Q[p,e] * K[m,e]
  O[p,f] = softmax(S[p,m]; m) * V[m,f]
  R[m,f] = softmax(S[p,m]; p) * U[p,f]
})"},
      {"softmax of softmax", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  A[p,m] = softmax(S[p,m]; m)
  O[p,f] = softmax(A[p,m]; m) * V[m,f]
})"},
      {"a threshold relative to the largest", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  A[p,m] = softmax(S[p,m]; m)
  X[p]   = max[m] A[p,m]
  B[p,m] = A[p,m]   where A[p,m] > 0.3 * X[p]
  D[p]   = sum[m] B[p,m]
  O[p,f] = sum[m] B[p,m] / D[p] * V[m,f]
})"},
      {"the largest scores", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  Sel[p,m] = top[m; 3] S[p,m]
  T[p,m]   = S[p,m]   where Sel[p,m]
  O[p,f]   = softmax(T[p,m]; m) * V[m,f]
})"},
      {"sparsemax", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  Order[p,m] = argsort[n; m] S[p,n]
  Z[p,m]     = S[p,Order[p,m]]
  C[p,m]     = cumsum[m] Z[p,m]
  In[p,m]    = 1 + (m + 1) * Z[p,m] > C[p,m]
  K[p]       = count[m] In[p,m]
  Tau[p]     = (sum[m where In[p,m]] Z[p,m] - 1) / K[p]
  A[p,m]     = max(S[p,m] - Tau[p], 0)
  O[p,f]     = A[p,m] * V[m,f]
})"},
      {"a recurrence beside a softmax",
       R"(cascade c(Q[T,E] : f64, K[T,E] : f64, V[T,F] : f64, G[T] : f64) -> (O[T,F] : f64, R[T,F] : f64) {
  L[t,e,f] = sigmoid(G[t]) * L[t-1,e,f] + K[t,e] * V[t,f]   init 0
  R[t,f]   = Q[t,e] * L[t,e,f]
  S[t,u]   = Q[t,e] * K[u,e]   where u <= t
  O[t,f]   = softmax(S[t,u]; u) * V[u,f]
})"},
      {"running softmax as written", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64) {
  split M = (N, C = 3)
  X[p,n]   = max(X[p,n-1], max[c] S[p,(n,c)])   init -inf
  W[p,n,c] = exp(S[p,(n,c)] - X[p,n])
  R[p,n]   = if X[p,n-1] == -inf then 0 else exp(X[p,n-1] - X[p,n])
  D[p,n]   = D[p,n-1] * R[p,n] + sum[c] W[p,n,c]   init 0
  Y[p,n,f] = Y[p,n-1,f] * R[p,n] + sum[c] W[p,n,c] * V[(n,c),f]   init 0
  O[p,f]   = Y[p,|N|-1,f] / D[p,|N|-1]   where D[p,|N|-1] > 0
})"},
      {"pages",
       R"(cascade c(Q[P,E] : f64, KP[PG,C,E] : f64, VP[PG,C,F] : f64, Page[NP] : i32, len : index) -> (O[P,F] : f64) {
  rank M = |NP| * |C|
  S[p,m] = Q[p,e] * KP[Page[m div |C|],m mod |C|,e]   where m < len + p
  O[p,f] = softmax(S[p,m]; m) * VP[Page[m div |C|],m mod |C|,f]
})"},
      {"scores that do not depend on the query's lane",
       R"(cascade c(Q[E] : f64, K[M,E] : f64, V[M,F] : f64) -> (O[F] : f64) {
  S[m] = Q[e] * K[m,e]
  O[f] = softmax(S[m]; m) * V[m,f]
})"},
      {"the weights are an output too",
       R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64, A[P,M] : f64) {
  A[p,m] = softmax(S[p,m]; m)
  O[p,f] = A[p,m] * V[m,f]
})"},
      {"products, minima and maxima of one row", R"(cascade c(S[P,M] : f64) -> (Y[P] : f64) {
  A[p] = max[m] S[p,m]
  B[p] = min[m] S[p,m]
  C[p] = prod[m] (1 + 0.1 * tanh(S[p,m]))
  D[p] = sum[m] exp((S[p,m] - A[p]) / (1 + A[p] - B[p]))
  Y[p] = D[p] + C[p]
})"},
      {"a maximum of some points, a sum of others",
       R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64, D[P] : f64, Y[P] : f64) {
  X[p]   = max[m where m > 1] S[p,m]
  N[p,m] = exp(S[p,m] - X[p])
  D[p]   = sum[m where m > 0] N[p,m]
  O[p,f] = sum[m where m > 2] N[p,m] * V[m,f]
  Y[p]   = sum[m] (S[p,m] - X[p])
})"},
      {"a row value that is not finite at first", R"(cascade c(S[P,M] : f64) -> (Y[P] : f64, Z[P] : f64) {
  C[p] = count[m] (S[p,m] > 0.2)
  L[p] = log(cast<f64>(C[p]))
  Y[p] = sum[m] (S[p,m] - L[p])
  Z[p] = sum[m] exp(S[p,m] - L[p])
})"},
      {"masks and keys that are tensors of their own",
       R"(cascade c(Q[P,E] : f64, K[M,E] : f64, V[M,F] : f64, Keep[M] : bool, B[M] : f64) -> (O[P,F] : f64, C[P] : f64) {
  Use[m]  = Keep[m] and m != 1
  Big[m]  = B[m] > 0   where m != 2
  G[m]    = B[m]   where m != 3
  S[p,m]  = (sum[e] Q[p,e] * K[m,e]) + (G[m] else 1)   where Use[m]
  X[p]    = max[m where Big[m]] S[p,m]
  N[p,m]  = exp(S[p,m] - X[p])
  D[p]    = sum[m where Big[m]] N[p,m]
  O[p,f]  = (sum[m where Big[m]] N[p,m] * V[m,f]) / D[p]
  C[p]    = sum[m where not Big[m]] S[p,m] * G[m]
})"},
      {"sums of all points or none",
       R"(cascade c(Q[P,E] : f64, K[P,E] : f64, V[P,M] : f64) -> (O[P,M] : f64, D[P] : f64) {
  R[p]   = sum[e] Q[p,e] * K[p-2,e]
  S[p,m] = R[p] * V[p,m]
  X[p]   = max[m] S[p,m]
  D[p]   = sum[m] exp(S[p,m] - X[p])
  O[p,m] = D[p] * V[p,m]
})"},
      {"an empty value", R"(cascade c(S[P,M] : f64, V[M,F] : f64) -> (O[P,F] : f64 empty -1) {
  T[p,m] = S[p,m]   where m < p
  D[p]   = sum[m] exp(T[p,m])
  O[p,f] = (sum[m] exp(T[p,m]) * V[m,f]) / D[p]   where D[p] > 0
})"},
  };
  return list;
}

} // namespace einfall
