//===- Simplify.cpp - see Simplify.h -------------------------------------------===//
#include "dialects/ein/ir/Simplify.h"
#include "dialects/ein/Cascade.h"
#include <cmath>

namespace einfall::ein::ir {

static bool isNumber(const ExprRef &e) { return e->op == ExprOp::Number; }

static bool isConstant(const ExprRef &e, double value) {
  return isNumber(e) &&
         (e->kind == Kind::Float ? e->number == value && std::signbit(e->number) == std::signbit(value)
                                 : e->kind == Kind::Int && e->integer == value);
}

bool isBool(const ExprRef &e, bool value) {
  return isNumber(e) && e->kind == Kind::Bool && (e->integer != 0) == value;
}

/// Leaves always have a value, and so have all bools (ein-r15).
static bool alwaysExists(const ExprRef &e) {
  return e->kind == Kind::Bool || e->op == ExprOp::Number || e->op == ExprOp::Coord ||
         e->op == ExprOp::Extent || e->op == ExprOp::Scalar;
}

static ExprRef foldFloats(ExprOp op, double x, double y) {
  switch (op) {
  case ExprOp::Add:
    return number(x + y);
  case ExprOp::Sub:
    return number(x - y);
  case ExprOp::Mul:
    return number(x * y);
  case ExprOp::Div:
    return number(x / y);
  case ExprOp::Lt:
    return boolean(x < y);
  case ExprOp::Le:
    return boolean(x <= y);
  case ExprOp::Gt:
    return boolean(x > y);
  case ExprOp::Ge:
    return boolean(x >= y);
  case ExprOp::Eq:
    return boolean(x == y);
  case ExprOp::Ne:
    return boolean(x != y);
  default:
    return nullptr;
  }
}

static ExprRef foldInts(ExprOp op, int64_t x, int64_t y) {
  int64_t r = 0;
  bool floors = y != 0 && !(x == INT64_MIN && y == -1);
  int64_t rest = floors ? x % y : 0;
  bool adjust = rest != 0 && (rest < 0) != (y < 0); // C++ truncates, the language floors
  switch (op) {
  case ExprOp::Add:
    return __builtin_add_overflow(x, y, &r) ? nullptr : integer(r);
  case ExprOp::Sub:
    return __builtin_sub_overflow(x, y, &r) ? nullptr : integer(r);
  case ExprOp::Mul:
    return __builtin_mul_overflow(x, y, &r) ? nullptr : integer(r);
  case ExprOp::IDiv:
    return floors ? integer(x / y - adjust) : nullptr;
  case ExprOp::Mod:
    return floors ? integer(adjust ? rest + y : rest) : nullptr;
  case ExprOp::Min:
    return integer(std::min(x, y));
  case ExprOp::Max:
    return integer(std::max(x, y));
  case ExprOp::Lt:
    return boolean(x < y);
  case ExprOp::Le:
    return boolean(x <= y);
  case ExprOp::Gt:
    return boolean(x > y);
  case ExprOp::Ge:
    return boolean(x >= y);
  case ExprOp::Eq:
    return boolean(x == y);
  case ExprOp::Ne:
    return boolean(x != y);
  default:
    return nullptr;
  }
}

static ExprRef simplifyUnary(const ExprRef &e) {
  const ExprRef &x = e->args[0];
  switch (e->op) {
  case ExprOp::Neg:
    if (x->op == ExprOp::Neg)
      return x->args[0];
    if (isNumber(x) && x->kind == Kind::Float)
      return number(-x->number);
    if (isNumber(x) && x->kind == Kind::Int && x->integer != INT64_MIN)
      return integer(-x->integer);
    return e;
  case ExprOp::Not:
    if (x->op == ExprOp::Not)
      return x->args[0];
    return isNumber(x) ? boolean(!x->integer) : e;
  case ExprOp::ToFloat:
    return isNumber(x) && x->kind == Kind::Int ? number(static_cast<double>(x->integer)) : e;
  case ExprOp::Exists:
    return alwaysExists(x) ? boolean(true) : e;
  default:
    return e;
  }
}

static ExprRef simplifyBinary(const ExprRef &e) {
  const ExprRef &x = e->args[0], &y = e->args[1];
  if (isNumber(x) && isNumber(y) && x->kind == y->kind && x->kind != Kind::Bool)
    if (ExprRef folded = x->kind == Kind::Float ? foldFloats(e->op, x->number, y->number)
                                                : foldInts(e->op, x->integer, y->integer))
      return folded;
  bool isInt = e->kind == Kind::Int;
  switch (e->op) {
  case ExprOp::Mul:
    return isConstant(y, 1) ? x : isConstant(x, 1) ? y : e;
  case ExprOp::Div:
  case ExprOp::IDiv:
  case ExprOp::Pow:
    return isConstant(y, 1) ? x : e;
  case ExprOp::Sub:
    return isConstant(y, 0) ? x : e;
  case ExprOp::Add:
    return isInt && isConstant(y, 0) ? x : isInt && isConstant(x, 0) ? y : e;
  case ExprOp::And:
    return isBool(x, true)                        ? y
           : isBool(y, true)                      ? x
           : isBool(x, false) || isBool(y, false) ? boolean(false)
                                                  : e;
  case ExprOp::Or:
    return isBool(x, false)                     ? y
           : isBool(y, false)                   ? x
           : isBool(x, true) || isBool(y, true) ? boolean(true)
                                                : e;
  case ExprOp::Else:
    return alwaysExists(x) ? x : e;
  default:
    return e;
  }
}

static ExprRef simplifyNode(const ExprRef &e) {
  if (e->op == ExprOp::If)
    return isBool(e->args[0], true) ? e->args[1] : isBool(e->args[0], false) ? e->args[2] : e;
  if (e->op == ExprOp::Reduce) {
    if (!e->filter || !isBool(e->filter, true))
      return e;
    auto copy = std::make_shared<Expr>(*e);
    copy->filter = nullptr;
    return copy;
  }
  if (e->op == ExprOp::Call || e->op == ExprOp::Cast || e->op == ExprOp::Read || e->op == ExprOp::Tuple)
    return e;
  return e->args.size() == 1 ? simplifyUnary(e) : e->args.size() == 2 ? simplifyBinary(e) : e;
}

ExprRef simplify(const ExprRef &e) { return rewrite(e, simplifyNode); }

} // namespace einfall::ein::ir
