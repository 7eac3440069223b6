// RUN: einfall-opt %s --canonicalize | FileCheck %s

// Rewrites keep value and existence; what looks alike but does not is left.

// CHECK-LABEL: ein.cascade @folds
ein.cascade @folds variables [m: M] steps [<A>, <B>, <C>, <D>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  %y = ein.input "Y" : !ein.tensor<[M], bool>
  // CHECK: ein.map "A"["m"] = "X[m - 5]"(%X)
  %a = ein.map "A"["m"] = "if 2 < 3 then X[m - (2 + 3)] * 1.0 else exp(X[m])" where "true"(%x)
    : (!ein.tensor<[M], f32>) -> !ein.tensor<[M?], f32, partial>
  // CHECK: ein.map "B"["m"] = "Y[m]:b"(%Y)
  %b = ein.map "B"["m"] = "not not (true and Y[m]:b)"(%y) : (!ein.tensor<[M], bool>) -> !ein.tensor<[M], bool>
  // CHECK: ein.map "C"["m"] = "-4.0 + (X[m] - 0.5)"(%X)
  %c = ein.map "C"["m"] = "-(3.0 + 1.0) + --(X[m] - 0.5) / 1.0"(%x)
    : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  // Floor division and modulo, not C's.
  // CHECK: ein.map "D"["m"] = "m - -4 + 1"()
  %d = ein.map "D"["m"] = "m - -7 div 2 + -7 mod 2"() : () -> !ein.tensor<[M], i64>
  ein.outputs %a, %b, %c, %d : !ein.tensor<[M?], f32, partial>, !ein.tensor<[M], bool>, !ein.tensor<[M], f32>, !ein.tensor<[M], i64>
}

// CHECK-LABEL: ein.cascade @keeps
ein.cascade @keeps variables [m: M] steps [<A>, <B>, <C>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // x may be missing, NaN or infinite.
  // CHECK: "X[m] * 0.0 + (X[m] - X[m])"
  %a = ein.map "A"["m"] = "X[m] * 0.0 + (X[m] - X[m])"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  // 0.0 + -0.0 is 0.0.
  // CHECK: "X[m] + 0.0"
  %b = ein.map "B"["m"] = "X[m] + 0.0"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  // Division by zero has no value; overflow stays where it is.
  // CHECK: "(m div 0 else 1) + (9223372036854775807 + 1)"
  %c = ein.map "C"["m"] = "(m div 0 else 1) + (9223372036854775807 + 1)"() : () -> !ein.tensor<[M], i64>
  ein.outputs %a, %b, %c : !ein.tensor<[M], f32>, !ein.tensor<[M], f32>, !ein.tensor<[M], i64>
}

// The operation follows the shape of its right side; a tensor that nothing reads is gone.

// CHECK-LABEL: ein.cascade @shape
// CHECK-SAME: steps [<R>, <O>] {
ein.cascade @shape variables [m: M, n: M] steps [<U>, <R>, <O>] {
  ein.rank @M
  %x = ein.input "X" : !ein.tensor<[M], f32>
  // CHECK-NOT: "U"
  %u = ein.map "U"["n"] = "exp(X[n])"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  // CHECK: ein.reduce "R"[] = "sum[m] X[m]"(%X)
  %r = ein.map "R"[] = "1.0 * sum[m where true] X[m]"(%x) : (!ein.tensor<[M], f32>) -> !ein.tensor<[], f32>
  // CHECK: ein.map "O"["n"] = "R[]"(%R)
  %o = ein.map "O"["n"] = "if true then R[] else U[n]"(%r, %u)
    : (!ein.tensor<[], f32>, !ein.tensor<[M], f32>) -> !ein.tensor<[M], f32>
  ein.outputs %o : !ein.tensor<[M], f32>
}
