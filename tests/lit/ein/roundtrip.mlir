// RUN: einfall-opt %s | einfall-opt | FileCheck %s
// RUN: einfall-opt %s --mlir-print-op-generic | einfall-opt | FileCheck %s

// Every operation, type and attribute goes through its text unchanged.

// CHECK-LABEL: ein.cascade @declarations
// CHECK-SAME: variables [h: H, m: M, m: M]
// CHECK-SAME: steps [<Y>]
ein.cascade @declarations variables [h: H, m: M, m: M] steps [<Y>] {
  // CHECK: ein.rank @H aka ["HQ"]
  ein.rank @H aka ["HQ"]
  // CHECK: ein.rank @J
  ein.rank @J
  // CHECK: ein.rank @G fixed 4
  ein.rank @G fixed 4
  // CHECK: ein.rank @M = "|H| * 2 + @w:i" default
  ein.rank @M = "|H| * 2 + @w:i" default
  // CHECK: ein.split @H.J.G : @H into [@J, @G]
  ein.split @H.J.G : @H into [@J, @G]
  // CHECK: ein.scalar @w : "index" = "3"
  ein.scalar @w : "index" = "3"
  // CHECK: %[[X:.+]] = ein.input "X" = "0.5" : !ein.tensor<[H, M + 1?], bf16, partial>
  %x = ein.input "X" = "0.5" : !ein.tensor<[H, M + 1?], bf16, partial>
  // CHECK: %[[Y:.+]] = ein.reduce "Y"["h"] = "sum?[m where m < |M|] X[h, m]"(%[[X]])
  // CHECK-SAME: : (!ein.tensor<[H, M + 1?], bf16, partial>) -> !ein.tensor<[H], f32>
  %y = ein.reduce "Y"["h"] = "sum?[m where m < |M|] X[h, m]"(%x)
    : (!ein.tensor<[H, M + 1?], bf16, partial>) -> !ein.tensor<[H], f32>
  // CHECK: ein.outputs %[[Y]] : !ein.tensor<[H], f32>
  ein.outputs %y : !ein.tensor<[H], f32>
}

// -----

// CHECK-LABEL: ein.cascade @equations
// CHECK-SAME: steps [<N>, <C>, <Sel>, <S along T>, <P, Q along T then U down>]
// CHECK-SAME: order ["N", "C", "Sel", "S", "P", "Q", "A"]
ein.cascade @equations variables [t: T, u: U, t: T] steps [<N>, <C>, <Sel>, <S along T>, <P, Q along T then U down>]
    order ["N", "C", "Sel", "S", "P", "Q", "A"] {
  ein.rank @T
  ein.rank @U
  %a = ein.input "A" : !ein.tensor<[T], f32>
  // CHECK: ein.map "N"["t"] = "exp(A[t])" where "t < 5 and not t == 2" empty "1.0" rounded(%
  %n = ein.map "N"["t"] = "exp(A[t])" where "t < 5 and not t == 2" empty "1.0" rounded(%a)
    : (!ein.tensor<[T], f32>) -> !ein.tensor<[T?], bf16, partial>
  // CHECK: ein.scan "C"["t"] = "cumsum[t.1 at t] A[t.1]"
  %c = ein.scan "C"["t"] = "cumsum[t.1 at t] A[t.1]"(%a) : (!ein.tensor<[T], f32>) -> !ein.tensor<[T], f32>
  // CHECK: ein.select "Sel"["u"] = "top[t at u; 3] A[t]" from 1(%
  %sel = ein.select "Sel"["u"] = "top[t at u; 3] A[t]" from 1(%a) : (!ein.tensor<[T], f32>) -> !ein.tensor<[T], bool>
  // CHECK: %[[S:.+]] = ein.recurrence "S"["t"] = "A[t] * S[t - 1]" init "0.0" along 0(%{{.*}}, %[[S]])
  %s = ein.recurrence "S"["t"] = "A[t] * S[t - 1]" init "0.0" along 0 (%a, %s)
    : (!ein.tensor<[T], f32>, !ein.tensor<[T], f32>) -> !ein.tensor<[T], f32>
  // CHECK: ein.recurrence "P"["t", "u"] = "Q[t - 1, u]" init "1.0" along 0(%
  %p = ein.recurrence "P"["t", "u"] = "Q[t - 1, u]" init "1.0" along 0 (%q)
    : (!ein.tensor<[T, U], f32>) -> !ein.tensor<[T, U], f32>
  // CHECK: ein.recurrence "Q"["t", "u"] = "P[t, u + 1]" init "2.0" along 1 down(%
  %q = ein.recurrence "Q"["t", "u"] = "P[t, u + 1]" init "2.0" along 1 down (%p)
    : (!ein.tensor<[T, U], f32>) -> !ein.tensor<[T, U], f32>
  ein.outputs %n, %s : !ein.tensor<[T?], bf16, partial>, !ein.tensor<[T], f32>
}

// -----

// Expressions keep every parenthesis that carries meaning, and lose the others.

// CHECK-LABEL: ein.cascade @expressions
ein.cascade @expressions variables [m: M, n: N, c: C] steps [<A>, <B>, <D>] {
  ein.rank @M
  ein.rank @N
  ein.rank @C
  ein.split @M.N.C : @M into [@N, @C]
  ein.scalar @s : "f32"
  %x = ein.input "X" : !ein.tensor<[M], f32>
  %i = ein.input "I" : !ein.tensor<[M], i32>
  // CHECK: "X[m] - (X[m] - 1.0) * -2.5 / (@s * -inf) ^ (-X[m]) + -(3.0)"
  %a = ein.map "A"["m"] = "X[m] - ((X[m] - 1.0)) * -2.5 / (@s * -inf) ^ (-X[m]) + -(3.0)"(%x)
    : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  // CHECK: "if I[m]:i < 3 or exists(X[I[m]:i]) then (X[m + 1] else 0.0) else float(cast<i32>(X[m])) + min(1.0, nan)"
  %b = ein.map "B"["m"] = "if I[m]:i < 3 or exists(X[I[m]:i]) then (X[m+1] else 0.0) else float(cast<i32>(X[m])) + min(1.0, nan)"(%i, %x)
    : (!ein.tensor<[M], i32>, !ein.tensor<[M], f32>) -> !ein.tensor<[M?], f32, partial>
  // CHECK: "D"["(n, c) of M.N.C"] = "X[(n, c) of M.N.C] + (sum[m where m div |C| == n mod 7] (X[m] + 1.0) * 2.0) * 2e-300"
  %d = ein.map "D"["(n, c) of M.N.C"] = "X[(n, c) of M.N.C] + (sum[m where m div |C| == n mod 7] (X[m] + 1.0) * 2.0) * 2e-300"(%x)
    : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %a, %b, %d : !ein.tensor<[M], f32>, !ein.tensor<[M?], f32, partial>, !ein.tensor<[M], f32>
}
