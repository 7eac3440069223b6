#include "compiler/lower/x86/ScalarEmitter.h"
#include "compiler/lower/Bounds.h"

using namespace mlir;
using namespace einfall::ein;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace einfall::lower {

mlir::Type ScalarEmitter::typeOf(Kind kind) {
  return kind == Kind::Float ? (f64 ? l.f64() : l.f32()) : kind == Kind::Int ? l.i64() : l.i1();
}

Val ScalarEmitter::zeroOf(Kind kind) { return uniform(l.constant(typeOf(kind), 0)); }

Val ScalarEmitter::laneCoordinate(Value base) {
  if (l.width == 1)
    return uniform(base);
  return {l.addI(base, l.iota()), {}, base, 1};
}

bool ScalarEmitter::ready(const ExprRef &e) {
  for (VarId v : freeVariables(e))
    if (!env.count(v))
      return false;
  return true;
}

bool ScalarEmitter::varying(const ExprRef &e) {
  if (l.width == 1)
    return false;
  for (VarId v : freeVariables(e)) {
    auto it = env.find(v);
    if (it != env.end() && Lanes::varies(it->second.value))
      return true;
  }
  return static_cast<bool>(hook);
}

bool ScalarEmitter::heavy(const ExprRef &e) {
  bool found = false;
  walk(e, [&](const Expr &x) { found |= x.op == ExprOp::Read || x.op == ExprOp::Reduce; });
  return found;
}

bool ScalarEmitter::mayMiss(const ExprRef &e) {
  if (e->kind == Kind::Bool && e->op != ExprOp::Reduce)
    return false;
  switch (e->op) {
  case ExprOp::Read: {
    if (!cascade.tensors[e->id].everywhere || storage.hasPresence(e->id))
      return true;
    for (size_t d = 0; d < e->args.size(); ++d)
      if (!certainlyInside(cascade, e->id, d, e->args[d]))
        return true;
    return false;
  }
  case ExprOp::Tuple:
  case ExprOp::Reduce:
    return true;
  case ExprOp::IDiv:
  case ExprOp::Mod:
    if (e->args[1]->op != ExprOp::Number || e->args[1]->integer == 0)
      return true;
    break;
  case ExprOp::Pow:
    if (e->kind == Kind::Int)
      return true;
    break;
  case ExprOp::Else:
    return mayMiss(e->args[0]) && mayMiss(e->args[1]);
  case ExprOp::If:
    return mayMiss(e->args[1]) || mayMiss(e->args[2]);
  default:
    break;
  }
  for (auto &a : e->args)
    if (mayMiss(a))
      return true;
  return false;
}

Value ScalarEmitter::condition(const ExprRef &e) {
  Val x = emit(e);
  return x.present ? l.andI(x.value, x.present) : x.value;
}

Val ScalarEmitter::emit(const ExprRef &e) {
  if (hook)
    if (auto replaced = hook(*e))
      return *replaced;
  switch (e->op) {
  case ExprOp::Number:
    return uniform(e->kind == Kind::Float ? l.constant(typeOf(Kind::Float), e->number)
                                          : l.constant(typeOf(e->kind), e->integer));
  case ExprOp::Coord:
    return env.at(e->id);
  case ExprOp::Extent:
    return uniform(storage.extent(e->id));
  case ExprOp::Scalar:
    return uniform(storage.scalar(e->id, f64));
  case ExprOp::Read:
    return read(*e);
  case ExprOp::Tuple:
    return tuple(*e);
  case ExprOp::Lt:
  case ExprOp::Le:
  case ExprOp::Gt:
  case ExprOp::Ge:
  case ExprOp::Eq:
  case ExprOp::Ne:
    return compare(*e);
  case ExprOp::And: {
    Value x = condition(e->args[0]);
    if (Lanes::varies(x) || !heavy(e->args[1]) || varying(e->args[1]))
      return uniform(l.andI(x, condition(e->args[1])));
    return branchVal(
        x, [&] { return uniform(condition(e->args[1])); }, [&] { return uniform(l.boolean(false)); });
  }
  case ExprOp::Or:
    return uniform(l.orI(condition(e->args[0]), condition(e->args[1])));
  case ExprOp::Not:
    return uniform(l.notB(condition(e->args[0])));
  case ExprOp::If:
    return conditional(*e);
  case ExprOp::Else:
    return otherwise(*e);
  case ExprOp::Exists: {
    Val x = emit(e->args[0]);
    return uniform(x.present ? x.present : l.boolean(true));
  }
  case ExprOp::ToFloat:
  case ExprOp::Cast:
    return convert(*e);
  case ExprOp::Call:
    return call(*e);
  case ExprOp::Reduce:
    return reduce(*e);
  default:
    return arithmetic(*e);
  }
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// Keeps track of integers that are affine in the lane.
Val ScalarEmitter::affine(ExprOp op, const Val &x, const Val &y, Value value) {
  Val result{value, l.both(x.present, y.present), {}, 0};
  if (!Lanes::varies(value))
    return result;
  auto isAffine = [](const Val &v) { return v.base || !Lanes::varies(v.value); };
  if (!isAffine(x) || !isAffine(y))
    return result;
  Value a = x.base ? x.base : x.value, b = y.base ? y.base : y.value;
  int64_t p = x.base ? x.step : 0, q = y.base ? y.step : 0;
  APInt factor;
  if (op == ExprOp::Add) {
    result.base = l.addI(a, b);
    result.step = p + q;
  } else if (op == ExprOp::Sub) {
    result.base = l.subI(a, b);
    result.step = p - q;
  } else if (op == ExprOp::Mul && q == 0 && matchPattern(b, m_ConstantInt(&factor))) {
    result.base = l.mulI(a, b);
    result.step = p * factor.getSExtValue();
  } else if (op == ExprOp::Mul && p == 0 && matchPattern(a, m_ConstantInt(&factor))) {
    result.base = l.mulI(a, b);
    result.step = q * factor.getSExtValue();
  }
  return result;
}

Val ScalarEmitter::arithmetic(const Expr &e) {
  if (e.op == ExprOp::Neg) {
    Val x = emit(e.args[0]);
    if (e.kind == Kind::Float)
      return {l.negF(x.value), x.present, {}, 0};
    Val zero = uniform(l.integer(0));
    return affine(ExprOp::Sub, zero, x, l.subI(zero.value, x.value));
  }
  if (e.op == ExprOp::Pow) {
    // A literal exponent is multiplied out.
    const Expr *n = e.args[1].get();
    while (n->op == ExprOp::ToFloat)
      n = n->args[0].get();
    int64_t power = n->op != ExprOp::Number           ? -1
                    : n->kind != Kind::Float          ? n->integer
                    : n->number == int64_t(n->number) ? int64_t(n->number)
                                                      : -1;
    Val x = emit(e.args[0]);
    if (power >= 0 && power <= 64)
      return {math.powInteger(x.value, power), x.present, {}, 0};
    Val y = emit(e.args[1]);
    Value present = l.both(x.present, y.present);
    if (e.kind == Kind::Float)
      return {math.pow(x.value, y.value), present, {}, 0};
    Value a = x.value, b = y.value;
    l.unify({&a, &b});
    // By squaring; a negative exponent has no integer value.
    Value zero = l.constant(b.getType(), 0), one = l.constant(b.getType(), 1);
    present = l.both(present, l.cmpI(CmpIPredicate::sge, b, zero));
    Value exponent = l.maxS(b, zero), most = l.acrossMax(exponent);
    Value zeros = LLVM::CountLeadingZerosOp::create(l.b, l.loc, l.i64(), most, false);
    auto state =
        l.loop(l.integer(0), l.subI(l.integer(64), zeros), {one, a, exponent}, [&](Value, ValueRange s) {
          Value odd = l.cmpI(CmpIPredicate::ne, l.andI(s[2], one), zero);
          return SmallVector<Value>{l.select(odd, l.mulI(s[0], s[1]), s[0]), l.mulI(s[1], s[1]),
                                    l.shru(s[2], one)};
        });
    return {state[0], present, {}, 0};
  }
  Val x = emit(e.args[0]), y = emit(e.args[1]);
  Value a = x.value, b = y.value, present = l.both(x.present, y.present);
  auto contract = inSum ? arith::FastMathFlags::contract : arith::FastMathFlags::none;
  if (e.kind == Kind::Float) {
    Value v;
    switch (e.op) {
    case ExprOp::Add:
      v = l.makeFast<arith::AddFOp>(a, b, contract);
      break;
    case ExprOp::Sub:
      v = l.makeFast<arith::SubFOp>(a, b, contract);
      break;
    case ExprOp::Mul:
      v = l.makeFast<arith::MulFOp>(a, b, contract);
      break;
    case ExprOp::Div:
      v = l.divF(a, b);
      break;
    case ExprOp::Min:
      v = l.make<arith::MinimumFOp>(a, b);
      break;
    default:
      v = l.make<arith::MaximumFOp>(a, b);
      break;
    }
    return {v, present, {}, 0};
  }
  switch (e.op) {
  case ExprOp::Add:
    return affine(e.op, x, y, l.addI(a, b));
  case ExprOp::Sub:
    return affine(e.op, x, y, l.subI(a, b));
  case ExprOp::Mul:
    return affine(e.op, x, y, l.mulI(a, b));
  case ExprOp::Min:
    return {l.minS(a, b), present, {}, 0};
  case ExprOp::Max:
    return {l.maxS(a, b), present, {}, 0};
  default: {
    Value v = l.floorDiv(a, b, e.op == ExprOp::Mod, present);
    return {v, present, {}, 0};
  }
  }
}

Val ScalarEmitter::compare(const Expr &e) {
  Val x = emit(e.args[0]), y = emit(e.args[1]);
  Value v;
  if (e.args[0]->kind == Kind::Float) {
    CmpFPredicate p = e.op == ExprOp::Lt   ? CmpFPredicate::OLT
                      : e.op == ExprOp::Le ? CmpFPredicate::OLE
                      : e.op == ExprOp::Gt ? CmpFPredicate::OGT
                      : e.op == ExprOp::Ge ? CmpFPredicate::OGE
                      : e.op == ExprOp::Eq ? CmpFPredicate::OEQ
                                           : CmpFPredicate::UNE;
    v = l.cmpF(p, x.value, y.value);
  } else {
    bool isBool = e.args[0]->kind == Kind::Bool; // false < true
    CmpIPredicate p = e.op == ExprOp::Lt   ? (isBool ? CmpIPredicate::ult : CmpIPredicate::slt)
                      : e.op == ExprOp::Le ? (isBool ? CmpIPredicate::ule : CmpIPredicate::sle)
                      : e.op == ExprOp::Gt ? (isBool ? CmpIPredicate::ugt : CmpIPredicate::sgt)
                      : e.op == ExprOp::Ge ? (isBool ? CmpIPredicate::uge : CmpIPredicate::sge)
                      : e.op == ExprOp::Eq ? CmpIPredicate::eq
                                           : CmpIPredicate::ne;
    v = l.cmpI(p, x.value, y.value);
  }
  Value present = l.both(x.present, y.present);
  return uniform(present ? l.andI(v, present) : v);
}

Val ScalarEmitter::convert(const Expr &e) {
  Val x = emit(e.args[0]);
  Kind from = e.args[0]->kind;
  Val result{x.value, x.present, {}, 0};
  mlir::Type to = l.shaped(typeOf(e.kind), x.value);
  switch (e.kind) {
  case Kind::Float:
    if (from == Kind::Bool)
      result.value = arith::UIToFPOp::create(l.b, l.loc, to, x.value);
    else if (from == Kind::Int)
      result.value = arith::SIToFPOp::create(l.b, l.loc, to, x.value);
    if (e.op == ExprOp::Cast && e.type != (f64 ? ein::Type::F64 : ein::Type::F32))
      result.value = e.type == ein::Type::F64 ? result.value : roundFloat(l, result.value, e.type);
    return result;
  case Kind::Int:
    if (from == Kind::Bool)
      result.value = l.extend(x.value, l.i64(), /*isSigned=*/false);
    else if (from == Kind::Float)
      result.value = floatToInt(l, x.value);
    else
      result = x;
    if (ein::bitWidth(e.type) < 64) {
      result.value = saturate(l, result.value, e.type);
      result.base = {};
    }
    return result;
  case Kind::Bool:
    if (from == Kind::Float)
      result.value = l.cmpF(CmpFPredicate::UNE, x.value, l.constantLike(x.value, 0));
    else if (from == Kind::Int)
      result.value = l.cmpI(CmpIPredicate::ne, x.value, l.constant(x.value.getType(), 0));
    return uniform(x.present ? l.andI(result.value, x.present) : result.value);
  }
  return result;
}

Val ScalarEmitter::call(const Expr &e) {
  Val x = emit(e.args[0]);
  if (e.args[0]->kind == Kind::Float)
    return {math.call(e.fn, x.value), x.present, {}, 0};
  Val y = e.args.size() > 1 ? emit(e.args[1]) : x;
  Value present = l.both(x.present, y.present), zero = l.constant(x.value.getType(), 0), v;
  switch (e.fn) {
  case Fn::Abs:
    v = math.abs(x.value);
    break;
  case Fn::Sign:
    v = l.subI(l.extend(l.cmpI(CmpIPredicate::sgt, x.value, zero), l.i64(), false),
               l.extend(l.cmpI(CmpIPredicate::slt, x.value, zero), l.i64(), false));
    break;
  case Fn::BitLength: {
    Value magnitude = math.abs(x.value);
    Value zeros = LLVM::CountLeadingZerosOp::create(l.b, l.loc, magnitude.getType(), magnitude, false);
    v = l.subI(l.constant(zero.getType(), 64), zeros);
    break;
  }
  case Fn::BitAnd:
    v = l.andI(x.value, y.value);
    break;
  case Fn::BitOr:
    v = l.orI(x.value, y.value);
    break;
  default:
    v = l.xorI(x.value, y.value);
    break;
  }
  return {v, present, {}, 0};
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

Val ScalarEmitter::selectVal(Value c, const Val &x, const Val &y) {
  Val result{l.select(c, x.value, y.value), {}, {}, 0};
  if (x.present || y.present) {
    Value yes = l.boolean(true);
    result.present = l.select(c, x.present ? x.present : yes, y.present ? y.present : yes);
  }
  return result;
}

Val ScalarEmitter::branchVal(Value c, function_ref<Val()> then, function_ref<Val()> otherwise) {
  bool always = true;
  auto side = [&](function_ref<Val()> f) {
    Val v = f();
    always &= !v.present;
    return SmallVector<Value>{v.value, v.present ? v.present : l.boolean(true)};
  };
  auto results = l.branch(
      c, [&] { return side(then); }, [&] { return side(otherwise); });
  return {results[0], always ? Value() : results[1], {}, 0};
}

Val ScalarEmitter::conditional(const Expr &e) {
  Value c = condition(e.args[0]);
  if (!Lanes::varies(c)) {
    if (heavy(e.args[1]) || heavy(e.args[2]))
      return branchVal(
          c, [&] { return emit(e.args[1]); }, [&] { return emit(e.args[2]); });
    Val x = emit(e.args[1]), y = emit(e.args[2]);
    return selectVal(c, x, y);
  }
  Value outer = mask;
  mask = l.both(outer, c);
  Val x = emit(e.args[1]);
  mask = l.both(outer, l.notB(c));
  Val y = emit(e.args[2]);
  mask = outer;
  return selectVal(c, x, y);
}

Val ScalarEmitter::otherwise(const Expr &e) {
  Val x = emit(e.args[0]);
  if (!x.present)
    return x;
  if (!Lanes::varies(x.present) && heavy(e.args[1]))
    return branchVal(
        x.present,
        [&] {
          return Val{x.value, {}, {}, 0};
        },
        [&] { return emit(e.args[1]); });
  Value outer = mask;
  if (Lanes::varies(x.present))
    mask = l.both(outer, l.notB(x.present));
  Val y = emit(e.args[1]);
  mask = outer;
  return selectVal(x.present, {x.value, {}, {}, 0}, y);
}

} // namespace einfall::lower
