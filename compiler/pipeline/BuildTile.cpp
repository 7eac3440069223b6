#include "compiler/pipeline/BuildTile.h"
#include "compiler/lower/Schedule.h"
#include "dialects/ein/ir/Convert.h"
#include "dialects/tile/StreamConvert.h"
#include <set>

using namespace mlir;

namespace einfall::pipeline {
using namespace ein;

TileShape tileShape(unsigned vectorBits) { return {vectorBits >= 512 ? 64u : vectorBits / 16, 48}; }

tile::ProgramOp buildTile(OpBuilder &b, const transforms::Plan &plan, TileShape shape) {
  Location loc = b.getUnknownLoc();
  auto program = tile::ProgramOp::create(b, loc, b.getStringAttr(plan.cascade.name));
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&program.getBody());

  std::set<TensorId> read, stored;
  for (const transforms::Plan::Item &item : plan.items) {
    if (item.stream >= 0) {
      const tile::StreamKernel &k = plan.streams[item.stream];
      auto note = [&](const ExprRef &e) {
        if (e)
          for (TensorId t : tensorsRead(e))
            read.insert(t);
      };
      for (const tile::Segment &s : k.segments)
        for (const tile::TileStep &step : s.steps)
          note(step.a), note(step.b), note(step.mask);
      for (const tile::Finish &f : k.finish) {
        note(f.value), note(f.mask);
        stored.insert(f.tensor);
      }
      continue;
    }
    for (int i : item.component.equations) {
      const Equation &eq = plan.cascade.equations[i];
      stored.insert(eq.tensor);
      for (const ExprRef &e : {eq.rhs, eq.where, eq.init})
        if (e)
          for (TensorId t : tensorsRead(e))
            read.insert(t);
    }
  }
  for (TensorId t : stored)
    lower::addBuffer(b, plan.cascade, t, read.count(t) > 0);

  ein::ir::Names names = ein::ir::namesOf(plan.cascade);
  for (const transforms::Plan::Item &item : plan.items) {
    if (item.stream < 0) {
      lower::addKernel(b, plan.cascade, item.component);
      continue;
    }
    tile::StreamKernel k = plan.streams[item.stream];
    k.width = shape.width;
    k.block = shape.block;
    auto kernel = tile::KernelOp::create(b, loc);
    OpBuilder::InsertionGuard inner(b);
    b.createBlock(&kernel.getBody());
    tile::toOps(b, loc, k, names);
  }
  return program;
}

} // namespace einfall::pipeline
