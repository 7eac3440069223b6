#include "dialects/tile/StreamConvert.h"
#include "dialects/ein/ir/Ein.h"
#include <algorithm>

using namespace mlir;

namespace einfall::tile {
using ein::ExprRef;
using ein::ir::ExprAttr;
using ein::ir::Names;

namespace {

struct Writer {
  OpBuilder &b;
  Location loc;
  const Names &names;

  ArrayAttr strings(const std::vector<int> &ids, const std::vector<std::string> &table) {
    SmallVector<StringRef> list;
    for (int id : ids)
      list.push_back(table[id]);
    return b.getStrArrayAttr(list);
  }
  ArrayAttr vars(const std::vector<int> &ids) { return strings(ids, names.vars); }
  ArrayAttr tensors(const std::vector<int> &ids) { return strings(ids, names.tensors); }
  StringAttr tensor(int id) { return b.getStringAttr(names.tensors[id]); }
  ExprAttr expr(const ExprRef &e) { return e ? ExprAttr::get(b.getContext(), e, names) : ExprAttr(); }

  void step(const TileStep &s) {
    switch (s.kind) {
    case TileStep::Kind::Contract:
      ContractOp::create(b, loc, tensor(s.tensor), vars(s.over), expr(s.a), expr(s.b), expr(s.mask));
      return;
    case TileStep::Kind::Map:
      MapOp::create(b, loc, tensor(s.tensor), expr(s.a), expr(s.mask));
      return;
    case TileStep::Kind::Fold:
      FoldOp::create(b, loc, tensor(s.tensor), b.getStringAttr(std::string(ein::name(s.op))), vars(s.over),
                     expr(s.a), expr(s.mask));
      return;
    case TileStep::Kind::FoldContract:
      FoldContractOp::create(b, loc, tensor(s.tensor), vars(s.over), expr(s.a), expr(s.b), expr(s.mask));
      return;
    case TileStep::Kind::Anchor: {
      auto op = AnchorOp::create(b, loc, tensor(s.tensor), vars(s.over), b.getStringAttr(names.vars[s.delta]),
                                 expr(s.a), s.lag ? b.getUnitAttr() : UnitAttr());
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&op.getBody());
      for (const Transport &t : s.transports) {
        SmallVector<Attribute> rows;
        for (auto &line : t.matrix) {
          SmallVector<Attribute> entries;
          for (const ExprRef &e : line)
            entries.push_back(e ? Attribute(expr(e)) : Attribute(b.getUnitAttr()));
          rows.push_back(b.getArrayAttr(entries));
        }
        TransportOp::create(b, loc, tensors(t.state), b.getArrayAttr(rows),
                            t.shift ? b.getUnitAttr() : UnitAttr());
      }
      return;
    }
    }
  }
};

struct Reader {
  const Names &names;
  std::string &error;

  int find(StringRef name, const std::vector<std::string> &table) {
    auto it = std::find(table.begin(), table.end(), name.str());
    if (it == table.end())
      error = name.str();
    return it == table.end() ? 0 : static_cast<int>(it - table.begin());
  }
  std::vector<int> list(ArrayAttr array, const std::vector<std::string> &table) {
    std::vector<int> ids;
    for (StringRef s : array.getAsValueRange<StringAttr>())
      ids.push_back(find(s, table));
    return ids;
  }
  std::vector<int> vars(ArrayAttr a) { return list(a, names.vars); }
  int tensor(StringRef s) { return find(s, names.tensors); }
  ExprRef expr(ExprAttr a) {
    if (!a)
      return nullptr;
    std::string missing;
    ExprRef e = a.resolve(names, missing);
    if (!e)
      error = missing;
    return e;
  }

  TileStep step(Operation &op) {
    TileStep s{};
    if (auto c = dyn_cast<ContractOp>(op)) {
      s.kind = TileStep::Kind::Contract;
      s.tensor = tensor(c.getTensor());
      s.over = vars(c.getOver());
      s.a = expr(c.getA());
      s.b = expr(c.getB());
      s.mask = expr(c.getMaskAttr());
    } else if (auto m = dyn_cast<MapOp>(op)) {
      s.kind = TileStep::Kind::Map;
      s.tensor = tensor(m.getTensor());
      s.a = expr(m.getValue());
      s.mask = expr(m.getMaskAttr());
    } else if (auto f = dyn_cast<FoldOp>(op)) {
      s.kind = TileStep::Kind::Fold;
      s.tensor = tensor(f.getTensor());
      s.over = vars(f.getOver());
      s.a = expr(f.getValue());
      s.mask = expr(f.getMaskAttr());
      for (int r = 0; r <= static_cast<int>(ein::ReduceOp::Count); ++r)
        if (ein::name(static_cast<ein::ReduceOp>(r)) == std::string_view(f.getOp().data(), f.getOp().size()))
          s.op = static_cast<ein::ReduceOp>(r);
    } else if (auto f = dyn_cast<FoldContractOp>(op)) {
      s.kind = TileStep::Kind::FoldContract;
      s.tensor = tensor(f.getTensor());
      s.over = vars(f.getOver());
      s.a = expr(f.getA());
      s.b = expr(f.getB());
      s.mask = expr(f.getMaskAttr());
    } else if (auto a = dyn_cast<AnchorOp>(op)) {
      s.kind = TileStep::Kind::Anchor;
      s.tensor = tensor(a.getTensor());
      s.over = vars(a.getOver());
      s.a = expr(a.getValue());
      s.lag = a.getLag();
      s.delta = find(a.getDelta(), names.vars);
      for (auto t : a.getBody().getOps<TransportOp>()) {
        Transport move;
        move.state = list(t.getState(), names.tensors);
        move.shift = t.getShift();
        for (Attribute line : t.getMatrix()) {
          std::vector<ExprRef> entries;
          for (Attribute e : cast<ArrayAttr>(line))
            entries.push_back(expr(dyn_cast<ExprAttr>(e)));
          move.matrix.push_back(entries);
        }
        s.transports.push_back(move);
      }
    }
    return s;
  }
};

} // namespace

StreamOp toOps(OpBuilder &b, Location loc, const StreamKernel &kernel, const Names &names) {
  Writer w{b, loc, names};
  auto op =
      StreamOp::create(b, loc, b.getStringAttr(names.ranks[kernel.rank]), w.vars(kernel.outer),
                       w.vars(kernel.lanes), b.getI64IntegerAttr(kernel.width),
                       b.getI64IntegerAttr(kernel.block), w.tensors(kernel.tiles), w.tensors(kernel.state));
  OpBuilder::InsertionGuard guard(b);
  b.createBlock(&op.getBody());
  for (const Segment &s : kernel.segments) {
    auto segment = SegmentOp::create(b, loc, b.getStringAttr(names.vars[s.var]), w.expr(s.extent));
    OpBuilder::InsertionGuard inner(b);
    b.createBlock(&segment.getBody());
    for (const TileStep &step : s.steps)
      w.step(step);
  }
  for (const Finish &f : kernel.finish) {
    SmallVector<Attribute> subscripts;
    for (const ExprRef &s : f.subscripts)
      subscripts.push_back(w.expr(s));
    FinishOp::create(b, loc, w.tensor(f.tensor), b.getArrayAttr(subscripts), w.vars(f.over), w.expr(f.value),
                     w.expr(f.mask));
  }
  return op;
}

std::optional<StreamKernel> fromOps(StreamOp op, const Names &names, std::string &error) {
  error.clear();
  Reader r{names, error};
  StreamKernel k;
  k.rank = r.find(op.getRank(), names.ranks);
  k.outer = r.vars(op.getOuter());
  k.lanes = r.vars(op.getLanes());
  k.width = static_cast<unsigned>(op.getWidth());
  k.block = static_cast<unsigned>(op.getBlock());
  k.tiles = r.list(op.getTiles(), names.tensors);
  k.state = r.list(op.getState(), names.tensors);
  for (Operation &each : op.getBody().front()) {
    if (auto s = dyn_cast<SegmentOp>(each)) {
      Segment segment{r.find(s.getVar(), names.vars), r.expr(s.getExtent()), {}};
      for (Operation &step : s.getBody().front())
        segment.steps.push_back(r.step(step));
      k.segments.push_back(std::move(segment));
    } else if (auto f = dyn_cast<FinishOp>(each)) {
      Finish finish{
          r.tensor(f.getTensor()), {}, r.vars(f.getOver()), r.expr(f.getValue()), r.expr(f.getMaskAttr())};
      for (Attribute a : f.getSubscripts())
        finish.subscripts.push_back(r.expr(cast<ExprAttr>(a)));
      k.finish.push_back(std::move(finish));
    }
  }
  if (!error.empty())
    return std::nullopt;
  return k;
}

LogicalResult StreamOp::verify() {
  if (getLanes().empty())
    return emitOpError("has no variable in the lanes");
  if (static_cast<int64_t>(getWidth()) < 1 || static_cast<int64_t>(getBlock()) < 1)
    return emitOpError("needs a positive width and block");
  for (Operation &op : getBody().front())
    if (!isa<SegmentOp, FinishOp>(op))
      return op.emitOpError("cannot stand in 'tile.stream'");
  return success();
}

LogicalResult TransportOp::verify() {
  if (getMatrix().size() != getState().size())
    return emitOpError("has ") << getMatrix().size() << " rows for " << getState().size() << " states";
  for (Attribute line : getMatrix()) {
    auto array = dyn_cast<ArrayAttr>(line);
    if (!array || (!array.empty() && array.size() != getState().size()))
      return emitOpError("has a row that does not fit its states");
    for (Attribute e : array)
      if (!isa<ExprAttr, UnitAttr>(e))
        return emitOpError("has an entry that is no expression");
  }
  return success();
}

} // namespace einfall::tile
