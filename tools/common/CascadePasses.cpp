//===- CascadePasses.cpp - transforms of cascades as passes of einfall-opt ------===//
//
// A transform takes a cascade and returns a cascade (compiler/transforms). Here
// each is a pass over every `ein.cascade` of a module, so that lit tests it
// alone:
//
//   einfall-translate --import-ein x.ein | einfall-opt --ein-normalize
//
//===----------------------------------------------------------------------===//
#include "compiler/analysis/Explanation.h"
#include "compiler/transforms/Defer.h"
#include "compiler/transforms/JoinSplits.h"
#include "compiler/transforms/Normalize.h"
#include "compiler/transforms/Stream.h"
#include "compiler/transforms/TakeApart.h"
#include "dialects/ein/ir/Convert.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "tools/common/Registration.h"

using namespace mlir;

namespace einfall::tools {

namespace {
using Transform = ein::Cascade (*)(const ein::Cascade &);

struct CascadePass : PassWrapper<CascadePass, OperationPass<ModuleOp>> {
  llvm::StringRef argument, description;
  Transform transform;

  CascadePass(llvm::StringRef argument, llvm::StringRef description, Transform transform)
      : argument(argument), description(description), transform(transform) {}
  llvm::StringRef getArgument() const final { return argument; }
  llvm::StringRef getDescription() const final { return description; }

  void runOnOperation() final {
    llvm::SmallVector<ein::ir::CascadeOp> cascades(getOperation().getOps<ein::ir::CascadeOp>());
    for (ein::ir::CascadeOp op : cascades) {
      std::optional<ein::Cascade> cascade = ein::ir::fromOps(op);
      if (!cascade)
        return signalPassFailure();
      OpBuilder builder(op);
      ein::ir::toOps(builder, transform(*cascade));
      op.erase();
    }
  }
};

ein::Cascade defer(const ein::Cascade &cascade) {
  std::vector<analysis::Rewrite> rewrites;
  return transforms::defer(cascade, rewrites);
}
ein::Cascade derive(const ein::Cascade &cascade) {
  analysis::Explanation explanation;
  return transforms::derive(cascade, explanation).cascade;
}
} // namespace

void registerCascadePasses() {
  auto add = [](llvm::StringRef argument, llvm::StringRef description, Transform transform) {
    registerPass([=] { return std::make_unique<CascadePass>(argument, description, transform); });
  };
  add("ein-take-apart", "a concatenated rank becomes its parts", transforms::takeApart);
  add("ein-join-splits", "one variable where the parts of a split are only used together",
      transforms::joinSplits);
  add("ein-normalize", "nested reductions become equations of their own", transforms::normalize);
  add("ein-defer", "factors that do not depend on the reduced rank move out of the reduction", defer);
  add("ein-derive", "all rewrites of the planner", derive);
}

} // namespace einfall::tools
