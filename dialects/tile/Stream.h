//===- Stream.h - kernels that read a rank once, as values --------------------------===//
//
// A *stream kernel* computes reductions over one rank in a single pass: it walks
// the rank in blocks, holds a tile of every streamed tensor in fast memory, and
// keeps the results so far as row state. Nothing with both the rows' and the
// streamed rank is stored.
//
// A reduction that uses another reduction g over the same rank reads an *anchor*
// instead, a stand-in for g (compiler/algebra/Closure.h). When the anchor moves
// from a to a', the state follows: state' = M(a' - a) state. For
//
//     X[p] = max[m] S[p,m]    D[p] = sum[m] exp(S[p,m] - X[p])
//
// a block does:  contract S;  fold X;  anchor x := X, {D} by exp(-delta);
//                map N = exp(S - x);  fold D += N
//
// Everything is an expression over the kernel's own variables: `outer` (one task
// each), `lanes` (flattened, last fastest, side by side in vector lanes), the
// segment's streamed variable, and `over` variables of a single operation. Reads
// of resident tensors at those variables are tile or state accesses.
//
// A rank put together from several (`if u < |L| then .. else ..`) is streamed in
// *segments*, one for each part, on the same state.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"

namespace einfall::tile {

/// How state follows an anchor. `matrix[i][j]` over ToFloat(Coord(delta)), null: 0.
struct Transport {
  std::vector<ein::TensorId> state;
  std::vector<std::vector<ein::ExprRef>> matrix;
  bool shift = false; ///< max and min: matrix[0][0] is added instead
};

struct TileStep {
  enum class Kind : uint8_t {
    Contract,     ///< tensor[m, lanes] = sum over `over` of a * b
    Map,          ///< tensor[m, lanes] = a
    Fold,         ///< tensor[lanes, over] = op(itself, a over the block)
    FoldContract, ///< tensor[lanes, over] += sum[m] a * b
    Anchor        ///< moves the anchor `tensor` to the row value a
  } kind;
  ein::TensorId tensor;
  std::vector<ein::VarId> over;
  ein::ReduceOp op = ein::ReduceOp::Sum;
  ein::ExprRef a;    ///< varies in lanes; FoldContract: a read of a tile
  ein::ExprRef b;    ///< the same in all lanes
  ein::ExprRef mask; ///< where the value exists; null: everywhere
  bool lag = false;  ///< Anchor: may stay behind a growing maximum
  ein::VarId delta = -1;
  std::vector<Transport> transports;
};

struct Segment {
  ein::VarId var;      ///< streamed variable, from 0
  ein::ExprRef extent; ///< of the segment
  std::vector<TileStep> steps;
};

struct Finish {
  ein::TensorId tensor;
  std::vector<ein::ExprRef> subscripts;
  std::vector<ein::VarId> over;
  ein::ExprRef value; ///< over state and row inputs
  ein::ExprRef mask;  ///< null: everywhere
};

struct StreamKernel {
  unsigned width = 64; ///< lanes of a tile
  unsigned block = 48; ///< streamed coordinates of a tile
  ein::RankId rank;
  std::vector<ein::VarId> outer, lanes;
  std::vector<Segment> segments;
  std::vector<Finish> finish;
  std::vector<ein::TensorId> tiles, state; ///< resident: over [m, lanes], over [lanes, ..]
  /// While planning: rows on which a result of all points or none exists. It is
  /// part of the masks of `finish`, and not kept in the operations.
  std::vector<std::pair<ein::TensorId, ein::ExprRef>> rowPresence;
};

} // namespace einfall::tile
