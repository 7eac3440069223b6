#include "compiler/lower/Kernels.h"
#include "compiler/lower/x86/Stream.h"
#include "mlir/IR/SymbolTable.h"
#include "runtime/include/einfall/runtime.h"

using namespace mlir;
using namespace einfall::ein;
using arith::CmpIPredicate;

namespace einfall::lower {

Function::Function(Program &program, StringRef name, bool isTask)
    : program(program), l(program.b, program.module.getLoc(), 1) {
  OpBuilder &b = program.b;
  b.setInsertionPointToEnd(program.module.getBody());
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<mlir::Type> types{ptr, ptr};
  if (isTask)
    types.append({b.getI64Type(), b.getI64Type()});
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), types);
  op = LLVM::LLVMFuncOp::create(b, l.loc, name, type, LLVM::Linkage::Internal);
  Block *entry = op.addEntryBlock(b);
  frame = entry->getArgument(0);
  offsets = entry->getArgument(1);
  if (isTask) {
    task = entry->getArgument(2);
    thread = entry->getArgument(3);
  }
  b.setInsertionPointToStart(entry);
  anchor = l.integer(0).getDefiningOp();
  storage.emplace(program.cascade, program.layout, b, l.loc, frame, offsets, anchor);
}

void Function::finish() { LLVM::ReturnOp::create(program.b, l.loc, ValueRange{}); }

namespace {
Value ceilDiv(Lanes &l, Value x, Value y) { // x >= 0, y > 0
  return arith::DivUIOp::create(l.b, l.loc, l.addI(x, l.subI(y, l.integer(1))), y);
}
} // namespace

Distribution distribute(Lanes &l, Storage &storage, ArrayRef<RankId> outer, Value inner, bool sequential) {
  Distribution d;
  Value one = l.integer(1), zero = l.integer(0);
  d.outerTotal = one;
  for (RankId r : outer)
    d.outerTotal = l.mulI(d.outerTotal, storage.extent(r));
  // About four tasks a thread, so that unequal ones even out.
  Value threads = storage.field(offsetof(einfall_frame, thread_count), l.i64());
  Value target = sequential
                     ? one
                     : l.select(l.cmpI(CmpIPredicate::sle, threads, one), one, l.mulI(threads, l.integer(4)));
  Value chunks = l.maxS(l.minS(d.outerTotal, target), one);
  d.outerSize = l.maxS(ceilDiv(l, d.outerTotal, chunks), one);
  chunks = ceilDiv(l, d.outerTotal, d.outerSize);
  d.innerTotal = inner ? inner : one;
  if (inner) {
    Value parts = arith::DivUIOp::create(l.b, l.loc, target, l.maxS(chunks, one));
    parts = l.maxS(l.minS(parts, ceilDiv(l, inner, l.integer(64))), one);
    d.innerSize = l.maxS(ceilDiv(l, inner, parts), one);
    // Whole vectors in every part but the last.
    d.innerSize = l.andI(l.addI(d.innerSize, l.integer(15)), l.integer(-16));
    d.innerChunks = ceilDiv(l, inner, d.innerSize);
  } else {
    d.innerSize = one;
    d.innerChunks = one;
  }
  d.count = l.mulI(chunks, d.innerChunks);
  (void)zero;
  return d;
}

void forTask(Function &f, const Distribution &d, ArrayRef<RankId> outer,
             function_ref<void(ArrayRef<Value>, Value, Value)> body) {
  Lanes &l = f.l;
  Value chunk = arith::DivUIOp::create(l.b, l.loc, f.task, d.innerChunks);
  Value part = l.subI(f.task, l.mulI(chunk, d.innerChunks));
  Value lo = l.mulI(part, d.innerSize), hi = l.minS(l.addI(lo, d.innerSize), d.innerTotal);
  Value first = l.mulI(chunk, d.outerSize), last = l.minS(l.addI(first, d.outerSize), d.outerTotal);
  l.loop(first, last, {}, [&](Value i, ValueRange) {
    SmallVector<Value> at(outer.size());
    Value rest = i;
    for (size_t k = outer.size(); k-- > 1;) {
      Value size = f.storage->extent(outer[k]);
      Value next = arith::DivUIOp::create(l.b, l.loc, rest, size);
      at[k] = l.subI(rest, l.mulI(next, size));
      rest = next;
    }
    if (!outer.empty())
      at[0] = rest;
    body(at, lo, hi);
    return SmallVector<Value>{};
  });
}

namespace {
SmallVector<RankId> ranksOf(const Cascade &cascade, ArrayRef<VarId> vars) {
  SmallVector<RankId> ranks;
  for (VarId v : vars)
    ranks.push_back(cascade.rankOf(v));
  return ranks;
}

struct KernelLowering {
  Program &program;
  Function &main;
  const Cascade &cascade = program.cascade;

  const Equation *equationOf(StringRef tensor) {
    TensorId id = cascade.tensorNamed(std::string_view(tensor.data(), tensor.size()));
    return id < 0 ? nullptr : cascade.equationOf(id);
  }

  /// main: einfall_parallel(frame, @name, offsets, count)
  void launch(StringRef name, Value count) {
    OpBuilder &b = program.b;
    b.setInsertionPointToEnd(&main.op.getBody().back());
    Value function = LLVM::AddressOfOp::create(b, main.l.loc, main.l.ptr(), name);
    main.l.callC("einfall_parallel", {}, {main.frame, function, main.offsets, count});
  }

  std::string nextName() { return cascade.name + "_kernel" + std::to_string(program.kernels++); }

  /// Emits task function and launch around `body`.
  LogicalResult distributed(ArrayRef<VarId> outer, VarId inner, bool sequential,
                            function_ref<void(Function &, const Fixed &, const Range &)> body) {
    return distributedRanks(ranksOf(cascade, outer), inner < 0 ? -1 : cascade.rankOf(inner), sequential,
                            [&](Function &f, ArrayRef<Value> at, Value lo, Value hi) {
                              Fixed fixed;
                              for (size_t i = 0; i < outer.size(); ++i)
                                fixed[outer[i]] = at[i];
                              body(f, fixed, {inner, lo, hi});
                            });
  }

  LogicalResult distributedRanks(ArrayRef<RankId> outer, RankId inner, bool sequential,
                                 function_ref<void(Function &, ArrayRef<Value>, Value, Value)> body) {
    std::string name = nextName();
    {
      Function f(program, name, /*isTask=*/true);
      Value extent = inner < 0 ? Value() : f.storage->extent(inner);
      Distribution d = distribute(f.l, *f.storage, outer, extent, sequential);
      forTask(f, d, outer, [&](ArrayRef<Value> at, Value lo, Value hi) { body(f, at, lo, hi); });
      f.finish();
    }
    program.b.setInsertionPointToEnd(&main.op.getBody().back());
    Value extent = inner < 0 ? Value() : main.storage->extent(inner);
    Distribution d = distribute(main.l, *main.storage, outer, extent, sequential);
    launch(name, d.count);
    return success(program.error.empty());
  }

  bool packedOutput(const Equation &equation) {
    return cascade.tensors[equation.tensor].type == ein::Type::I4 &&
           !(program.layout.slots.count(equation.tensor) &&
             program.layout.slots.at(equation.tensor).value >= 0);
  }

  LogicalResult nest(const Equation &equation) {
    // The last variable is the innermost loop; all others are flattened.
    std::vector<VarId> outer(equation.vars);
    VarId inner = -1;
    if (!outer.empty()) {
      inner = outer.back();
      outer.pop_back();
    }
    return distributed(
        outer, inner, packedOutput(equation),
        [&](Function &f, const Fixed &fixed, const Range &range) { emitNest(f, equation, fixed, range); });
  }

  LogicalResult rows(const Equation &equation) {
    return distributed(
        rowVariables(equation), -1, packedOutput(equation),
        [&](Function &f, const Fixed &fixed, const Range &range) { emitRows(f, equation, fixed, range); });
  }

  LogicalResult steps(tile::StepsOp op) {
    RankId rank = cascade.rankNamed(op.getRank().str());
    RankId inner = op.getInner() ? cascade.rankNamed(op.getInner()->str()) : -1;
    SmallVector<RankId> shared;
    for (StringRef name : op.getShared().getAsValueRange<StringAttr>())
      shared.push_back(cascade.rankNamed(name.str()));
    bool sequential = false;
    for (Operation &each : op.getBody().front())
      sequential |= packedOutput(*equationOf(each.getAttrOfType<StringAttr>("tensor").getValue()));
    return distributedRanks(shared, -1, sequential, [&](Function &f, ArrayRef<Value> at, Value, Value) {
      Lanes &l = f.l;
      auto along = [&](RankId r, bool backward, function_ref<void(Value)> body) {
        Value size = f.storage->extent(r);
        l.loop(l.integer(0), size, {}, [&](Value i, ValueRange) {
          body(backward ? l.subI(l.subI(size, l.integer(1)), i) : i);
          return SmallVector<Value>{};
        });
      };
      auto equations = [&](Value t, Value u) {
        for (Operation &each : op.getBody().front()) {
          const Equation &equation = *equationOf(each.getAttrOfType<StringAttr>("tensor").getValue());
          Fixed fixed;
          fixed[equation.vars[each.getAttrOfType<IntegerAttr>("step").getInt()]] = t;
          if (u)
            fixed[equation.vars[each.getAttrOfType<IntegerAttr>("innerStep").getInt()]] = u;
          for (size_t i = 0; i < shared.size(); ++i)
            for (VarId v : equation.vars)
              if (cascade.rankOf(v) == shared[i] && !fixed.count(v))
                fixed[v] = at[i];
          isa<tile::NestOp>(each) ? emitNest(f, equation, fixed, {}) : emitRows(f, equation, fixed, {});
        }
      };
      along(rank, op.getBackward(), [&](Value t) {
        if (inner < 0)
          equations(t, {});
        else
          along(inner, op.getInnerBackward(), [&](Value u) { equations(t, u); });
      });
    });
  }
};
} // namespace

LogicalResult lowerKernel(Program &program, tile::KernelOp kernel, Function &main) {
  KernelLowering lowering{program, main};
  Operation &op = kernel.getBody().front().front();
  if (auto steps = dyn_cast<tile::StepsOp>(op))
    return lowering.steps(steps);
  if (auto stream = dyn_cast<tile::StreamOp>(op))
    return lowerStream(program, stream, main, lowering.nextName());
  if (!isa<tile::NestOp, tile::SelectOp, tile::ScanOp>(op)) {
    program.error = "no lowering of '" + op.getName().getStringRef().str() + "'";
    return failure();
  }
  const Equation *equation = lowering.equationOf(op.getAttrOfType<StringAttr>("tensor").getValue());
  if (!equation) {
    program.error = "the tile program computes a tensor without equation";
    return failure();
  }
  return isa<tile::NestOp>(op) ? lowering.nest(*equation) : lowering.rows(*equation);
}

} // namespace einfall::lower
