//===- Storage.h - where tensors lie and how their elements are coded -------===//
//
// Generated functions get an `einfall_frame` (einfall/runtime.h). `Storage`
// hands out what they need from it: extents, scalars, base pointers, strides.
// Each is loaded once, at the entry of the function, on first use.
//
// Inputs and outputs have run-time strides. An intermediate lies dense in the
// workspace at an offset that `main` computed; offsets arrive through the
// environment pointer. A tensor with missing points has a byte map beside it.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/lower/x86/Lanes.h"
#include "dialects/ein/Cascade.h"
#include <map>
#include <optional>

namespace einfall::lower {

/// Which tensors have workspace, and its slots in the table of offsets.
struct Layout {
  struct Slots {
    int value = -1;    ///< -1: the values are in an argument
    int presence = -1; ///< -1: every point exists
  };
  std::map<ein::TensorId, Slots> slots;
  int count = 0;
};

/// Bytes of an element in the workspace: i4 takes a byte there.
unsigned workspaceBytes(ein::Type type);

/// How a float value is rounded and coded in fewer bits.
mlir::Value roundFloat(Lanes &l, mlir::Value x, ein::Type type); ///< as ein::roundTo
/// An integer saturated to the range of `type`.
mlir::Value saturate(Lanes &l, mlir::Value x, ein::Type type);
/// A float to i64: toward zero, saturating, NaN to 0.
mlir::Value floatToInt(Lanes &l, mlir::Value x);
/// Stored bits (as an LLVM-typed value) to a value of the expression: f32/f64, i64, i1.
mlir::Value decode(Lanes &l, mlir::Value stored, ein::Type type, bool f64);
/// The reverse; rounds and saturates.
mlir::Value encode(Lanes &l, mlir::Value value, ein::Type type);
mlir::Type storedType(mlir::OpBuilder &b, ein::Type type);

class Storage {
public:
  /// `anchor`: an operation in the entry block; what is loaded stands before it.
  Storage(const ein::Cascade &cascade, const Layout &layout, mlir::OpBuilder &builder, mlir::Location loc,
          mlir::Value frame, mlir::Value offsets, mlir::Operation *anchor)
      : cascade(cascade), layout(layout), l(builder, loc, 1), frame(frame), offsets(offsets), anchor(anchor) {
  }

  mlir::Value extent(ein::RankId rank);
  mlir::Value scalar(ein::ScalarId id, bool f64);
  mlir::Value field(unsigned byteOffset, mlir::Type type); ///< of the frame
  /// Base of the values, of the presence map (null: none).
  mlir::Value base(ein::TensorId tensor);
  mlir::Value presenceBase(ein::TensorId tensor);
  /// In elements; dense for the workspace. `known` is set when it is a constant.
  mlir::Value stride(ein::TensorId tensor, unsigned dim, std::optional<int64_t> *known = nullptr);
  mlir::Value denseStride(ein::TensorId tensor, unsigned dim);
  /// Points along a dimension: the rank's extent, one more for `ptr[B + 1]`.
  mlir::Value size(ein::TensorId tensor, unsigned dim);
  bool inWorkspace(ein::TensorId tensor) const;
  bool hasPresence(ein::TensorId tensor) const;
  /// i4 arguments are packed, two a byte.
  bool packed(ein::TensorId tensor) const {
    return cascade.tensors[tensor].type == ein::Type::I4 && !inWorkspace(tensor);
  }

  const ein::Cascade &cascade;
  const Layout &layout;

private:
  Lanes l;
  mlir::Value frame, offsets;
  mlir::Operation *anchor;
  std::map<std::tuple<int, int, int>, mlir::Value> cache;
  mlir::Value once(int kind, int x, int y, llvm::function_ref<mlir::Value()> make);
  mlir::Value loadAt(mlir::Value pointer, int64_t byteOffset, mlir::Type type);
};

} // namespace einfall::lower
