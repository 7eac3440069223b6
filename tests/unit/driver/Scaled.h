//===- Scaled.h - Y[p] = s * X[p] + Z[p] as a cascade and as compiled code ----------===//
#pragma once
#include "dialects/ein/Cascade.h"

inline einfall::ein::Cascade scaledCascade() {
  using namespace einfall::ein;
  Cascade c;
  c.name = "scaled";
  Rank p;
  p.name = "P";
  c.ranks = {p};
  auto tensor = [](const char *name, Role role) {
    Tensor t;
    t.name = name;
    t.role = role;
    t.type = Type::F32;
    t.ranks = {0};
    t.plus = {0};
    return t;
  };
  c.tensors = {tensor("X", Role::Input), tensor("Z", Role::Input), tensor("Y", Role::Output)};
  c.tensors[1].defaultValue = number(0.5);
  ScalarArg s;
  s.name = "s";
  s.type = Type::F32;
  // 1 / sqrt(|P|)
  s.defaultValue = binary(ExprOp::Div, number(1), call(Fn::Sqrt, {unary(ExprOp::ToFloat, extent(0))}));
  c.scalars = {s};
  return c;
}

/// What a lowering of it could give: one task a point.
inline const char *scaledModule() {
  return R"mlir(
llvm.func @einfall_parallel(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64)
llvm.func @scaled_sizes(%frame: !llvm.ptr, %sizes: !llvm.ptr) {
  %c128 = llvm.mlir.constant(128 : i64) : i64
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %second = llvm.getelementptr %sizes[1] : (!llvm.ptr) -> !llvm.ptr, i64
  llvm.store %c128, %sizes : i64, !llvm.ptr
  llvm.store %c0, %second : i64, !llvm.ptr
  llvm.return
}
llvm.func internal @element(%frame: !llvm.ptr, %number: i64, %p: i64) -> !llvm.ptr attributes {always_inline} {
  %dataAt = llvm.getelementptr %frame[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %strideAt = llvm.getelementptr %frame[16] : (!llvm.ptr) -> !llvm.ptr, i8
  %datas = llvm.load %dataAt : !llvm.ptr -> !llvm.ptr
  %strides = llvm.load %strideAt : !llvm.ptr -> !llvm.ptr
  %dataEntry = llvm.getelementptr %datas[%number] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.ptr
  %strideEntry = llvm.getelementptr %strides[%number] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.ptr
  %data = llvm.load %dataEntry : !llvm.ptr -> !llvm.ptr
  %list = llvm.load %strideEntry : !llvm.ptr -> !llvm.ptr
  %stride = llvm.load %list : !llvm.ptr -> i64
  %offset = llvm.mul %p, %stride : i64
  %at = llvm.getelementptr %data[%offset] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  llvm.return %at : !llvm.ptr
}
llvm.func internal @task(%frame: !llvm.ptr, %environment: !llvm.ptr, %p: i64, %thread: i64) {
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %c1 = llvm.mlir.constant(1 : i64) : i64
  %c2 = llvm.mlir.constant(2 : i64) : i64
  %x = llvm.call @element(%frame, %c0, %p) : (!llvm.ptr, i64, i64) -> !llvm.ptr
  %z = llvm.call @element(%frame, %c1, %p) : (!llvm.ptr, i64, i64) -> !llvm.ptr
  %y = llvm.call @element(%frame, %c2, %p) : (!llvm.ptr, i64, i64) -> !llvm.ptr
  %scalarsAt = llvm.getelementptr %frame[24] : (!llvm.ptr) -> !llvm.ptr, i8
  %scalars = llvm.load %scalarsAt : !llvm.ptr -> !llvm.ptr
  %wide = llvm.load %scalars : !llvm.ptr -> f64
  %s = llvm.fptrunc %wide : f64 to f32
  %xv = llvm.load %x : !llvm.ptr -> f32
  %zv = llvm.load %z : !llvm.ptr -> f32
  %product = llvm.fmul %xv, %s : f32
  %sum = llvm.fadd %product, %zv : f32
  llvm.store %sum, %y : f32, !llvm.ptr
  llvm.return
}
llvm.func @scaled_main(%frame: !llvm.ptr) {
  %task = llvm.mlir.addressof @task : !llvm.ptr
  %null = llvm.mlir.zero : !llvm.ptr
  %extents = llvm.load %frame : !llvm.ptr -> !llvm.ptr
  %count = llvm.load %extents : !llvm.ptr -> i64
  llvm.call @einfall_parallel(%frame, %task, %null, %count) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
  llvm.return
}
)mlir";
}
