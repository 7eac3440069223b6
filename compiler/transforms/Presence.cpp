#include "compiler/transforms/Presence.h"
#include <algorithm>
#include <map>
#include <set>

namespace einfall::transforms {
using namespace ein;

namespace {

void conjuncts(const ExprRef &e, std::vector<ExprRef> &list) {
  if (e && e->op == ExprOp::And)
    for (const ExprRef &a : e->args)
      conjuncts(a, list);
  else if (e)
    list.push_back(e);
}

bool isInteger(const ExprRef &e, int64_t value) {
  return e->op == ExprOp::Number && e->kind == Kind::Int && e->integer == value;
}

/// The tensors of cyclic components: their equations must not be looked through.
std::set<TensorId> recurrent(const Cascade &c) {
  std::set<TensorId> set;
  for (const Component &k : c.schedule)
    if (k.rank >= 0)
      for (int e : k.equations)
        set.insert(c.equations[e].tensor);
  return set;
}

struct Builder {
  const Cascade &cascade;
  std::set<TensorId> opaque = recurrent(cascade);

  ExprRef of(const ExprRef &e) {
    if (!e || e->kind == Kind::Bool)
      return nullptr; // bools always have a value (ein-r15)
    switch (e->op) {
    case ExprOp::Read:
      return ofRead(e);
    case ExprOp::Tuple: {
      ExprRef all;
      const Split &split = cascade.splits[e->id];
      for (size_t i = 0; i < e->args.size(); ++i)
        all = conjunction(all, inRange(e->args[i], split.parts[i], 0));
      return all;
    }
    case ExprOp::IDiv:
    case ExprOp::Mod: {
      ExprRef all = conjunction(of(e->args[0]), of(e->args[1]));
      bool constant = e->args[1]->op == ExprOp::Number;
      if (constant && e->args[1]->integer != 0)
        return all;
      return conjunction(all, binary(ExprOp::Ne, e->args[1], integer(0)));
    }
    case ExprOp::If: {
      ExprRef a = of(e->args[1]), b = of(e->args[2]);
      if ((!a && !b) || (a && b && equal(a, b)))
        return a;
      return select(e->args[0], a ? a : boolean(true), b ? b : boolean(true));
    }
    case ExprOp::Else:
      return of(e->args[1]);
    case ExprOp::Reduce:
      return givesIdentity(*e) ? nullptr : unary(ExprOp::Exists, e);
    default: {
      ExprRef all;
      for (const ExprRef &a : e->args)
        all = conjunction(all, of(a));
      return all;
    }
    }
  }

  /// Where there is nothing to reduce the result is the identity (ein-r17).
  static bool givesIdentity(const Expr &r) {
    if (r.reduce == ReduceOp::Count || r.reduce == ReduceOp::Any || r.reduce == ReduceOp::All)
      return true;
    bool extremum = r.reduce == ReduceOp::Max || r.reduce == ReduceOp::Min;
    return r.partial && r.reduce <= ReduceOp::Min && !(extremum && r.kind == Kind::Int);
  }

  /// A reduction of all points or none: over an empty range it is the identity,
  /// whatever the body; integers have no greatest and no least.
  ExprRef whereNotEmpty(const Expr &r, const ExprRef &body) {
    bool extremum = r.reduce == ReduceOp::Max || r.reduce == ReduceOp::Min;
    bool identity = !(extremum && r.kind == Kind::Int);
    ExprRef all = body;
    for (VarId v : r.vars) {
      const Rank &rank = cascade.ranks[cascade.rankOf(v)];
      if (rank.fixed && *rank.fixed > 0)
        continue;
      ExprRef size = extent(cascade.rankOf(v));
      if (!identity)
        all = conjunction(all, binary(ExprOp::Gt, size, integer(0)));
      else if (all)
        all = binary(ExprOp::Or, binary(ExprOp::Eq, size, integer(0)), all);
    }
    return all;
  }

  ExprRef inRange(const ExprRef &s, RankId rank, int plus) {
    ExprRef all = of(s);
    if (s->op == ExprOp::Coord && cascade.rankOf(s->id) == rank)
      return all;
    if (s->op == ExprOp::Number && s->integer >= 0 && cascade.ranks[rank].fixed &&
        s->integer < *cascade.ranks[rank].fixed + plus)
      return all;
    if (s->op == ExprOp::Tuple) {
      // Entries in range; the last block may be short.
      const Split &split = cascade.splits[s->id];
      bool exact = true;
      for (size_t i = 0; i < s->args.size(); ++i)
        exact &= s->args[i]->op == ExprOp::Coord && cascade.rankOf(s->args[i]->id) == split.parts[i];
      if (exact && wholeIsProduct(split))
        return all;
      ExprRef linear = s->args[0];
      for (size_t i = 1; i < s->args.size(); ++i)
        linear = binary(ExprOp::Add, binary(ExprOp::Mul, linear, extent(split.parts[i])), s->args[i]);
      return conjunction(all, binary(ExprOp::Lt, linear, extent(split.whole)));
    }
    ExprRef top = extent(rank);
    if (plus)
      top = binary(ExprOp::Add, top, integer(plus));
    all = conjunction(all, binary(ExprOp::Le, integer(0), s));
    return conjunction(all, binary(ExprOp::Lt, s, top));
  }

  /// A part other than the first gets its extent by division, which must be exact
  /// (ein-r7); then there is no short block.
  bool wholeIsProduct(const Split &split) {
    for (size_t i = 1; i < split.parts.size(); ++i)
      if (!hasOwnExtent(split.parts[i]))
        return true;
    const Rank &whole = cascade.ranks[split.whole];
    std::optional<int64_t> product = 1;
    for (RankId r : split.parts)
      product = product && cascade.ranks[r].fixed ? std::optional(*product * *cascade.ranks[r].fixed)
                                                  : std::nullopt;
    return whole.fixed && product && *product == *whole.fixed;
  }

  bool hasOwnExtent(RankId rank) {
    if (cascade.ranks[rank].fixed || cascade.ranks[rank].definition)
      return true;
    for (const Tensor &t : cascade.tensors)
      if (t.role == Role::Input && std::find(t.ranks.begin(), t.ranks.end(), rank) != t.ranks.end())
        return true;
    return false;
  }

  /// Before the start (past the end, backwards) a recurrence has its `init` (ein-r21).
  ExprRef notPast(const ExprRef &s, RankId rank, bool backward) {
    if (s->op == ExprOp::Coord && cascade.rankOf(s->id) == rank)
      return of(s);
    return conjunction(of(s),
                       backward ? binary(ExprOp::Le, integer(0), s) : binary(ExprOp::Lt, s, extent(rank)));
  }

  ExprRef ofRead(const ExprRef &e) {
    const Tensor &t = cascade.tensors[e->id];
    const Equation *eq = cascade.equationOf(e->id);
    if (eq && eq->init && of(eq->init))
      return unary(ExprOp::Exists, e);
    ExprRef all;
    for (size_t i = 0; i < e->args.size(); ++i)
      if (eq && eq->init && static_cast<int>(i) == eq->initRank)
        all = conjunction(all, notPast(e->args[i], t.ranks[i], eq->initBackward));
      else
        all = conjunction(all, inRange(e->args[i], t.ranks[i], t.plus[i]));
    if (!eq || t.everywhere)
      return all;
    if (opaque.count(e->id) || eq->init)
      return unary(ExprOp::Exists, e);
    ExprRef own = eq->where;
    if (eq->rhs->op == ExprOp::Reduce) {
      if (!givesIdentity(*eq->rhs)) {
        if (eq->rhs->reduce >= ReduceOp::Mean || eq->rhs->partial || eq->rhs->filter)
          return unary(ExprOp::Exists, e);
        ExprRef body = of(eq->rhs->args[0]);
        if (body) {
          auto free = freeVariables(body);
          for (VarId v : eq->rhs->vars)
            if (std::find(free.begin(), free.end(), v) != free.end())
              return unary(ExprOp::Exists, e);
        }
        own = conjunction(own, whereNotEmpty(*eq->rhs, body));
      }
    } else {
      own = conjunction(own, of(eq->rhs));
    }
    if (!own)
      return all;
    ExprRef here = expandRead(cascade, *e, own);
    return here ? conjunction(all, simplify(cascade, here)) : unary(ExprOp::Exists, e);
  }
};

} // namespace

ExprRef presence(const Cascade &cascade, const ExprRef &e) { return Builder{cascade}.of(e); }

ExprRef conjunction(const ExprRef &a, const ExprRef &b) {
  std::vector<ExprRef> list;
  conjuncts(a, list);
  ExprRef all = a;
  std::vector<ExprRef> more;
  conjuncts(b, more);
  for (const ExprRef &c : more) {
    if (c->op == ExprOp::Number && c->integer)
      continue;
    if (std::none_of(list.begin(), list.end(), [&](const ExprRef &x) { return equal(x, c); })) {
      list.push_back(c);
      all = all ? binary(ExprOp::And, all, c) : c;
    }
  }
  return all;
}

ExprRef withPresence(const Cascade &cascade, const ExprRef &e, const ExprRef &known,
                     const std::function<bool(TensorId)> &held) {
  if (!e)
    return e;
  std::vector<ExprRef> given;
  conjuncts(known, given);
  auto readsHeld = [&](const ExprRef &x) {
    std::vector<TensorId> reads = tensorsRead(x);
    return std::any_of(reads.begin(), reads.end(), held);
  };
  // The part of an operand's existence that is not known; null: it exists.
  auto open = [&](const ExprRef &x) {
    ExprRef unknown;
    std::vector<ExprRef> list;
    if (readsHeld(x))
      conjuncts(presence(cascade, x), list);
    for (const ExprRef &c : list)
      if (std::none_of(given.begin(), given.end(), [&](const ExprRef &g) { return equal(g, c); }))
        unknown = conjunction(unknown, c);
    return unknown;
  };
  return rewrite(e, [&](const ExprRef &x) -> ExprRef {
    switch (x->op) {
    case ExprOp::Lt:
    case ExprOp::Le:
    case ExprOp::Gt:
    case ExprOp::Ge:
    case ExprOp::Eq:
    case ExprOp::Ne:
      return conjunction(conjunction(open(x->args[0]), open(x->args[1])), x);
    case ExprOp::Cast:
      return x->kind == Kind::Bool ? conjunction(open(x->args[0]), x) : x;
    case ExprOp::Exists:
      if (!readsHeld(x->args[0]))
        return x;
      if (ExprRef where = open(x->args[0]))
        return where;
      return boolean(true);
    case ExprOp::Else:
      if (!readsHeld(x->args[0]))
        return x;
      if (ExprRef where = open(x->args[0]))
        return select(where, x->args[0], x->args[1]);
      return x->args[0];
    default:
      return x;
    }
  });
}

ExprRef expandRead(const Cascade &cascade, const Expr &read, const ExprRef &what) {
  const Equation *eq = cascade.equationOf(read.id);
  if (!eq)
    return nullptr;
  std::map<VarId, ExprRef> with;
  for (size_t i = 0; i < eq->lhs.size(); ++i) {
    const ExprRef &l = eq->lhs[i], &s = read.args[i];
    if (l->op == ExprOp::Coord) {
      with[l->id] = s;
      continue;
    }
    const Split &split = cascade.splits[l->id];
    if (s->op == ExprOp::Tuple && s->id == l->id) {
      for (size_t k = 0; k < l->args.size(); ++k)
        with[l->args[k]->id] = s->args[k];
      continue;
    }
    ExprRef rest = s;
    for (size_t k = l->args.size(); k-- > 0;) {
      VarId v = l->args[k]->id;
      if (k == 0) {
        with[v] = rest;
      } else {
        with[v] = binary(ExprOp::Mod, rest, extent(split.parts[k]));
        rest = binary(ExprOp::IDiv, rest, extent(split.parts[k]));
      }
    }
  }
  return substitute(what, [&](VarId v) -> ExprRef {
    auto it = with.find(v);
    return it == with.end() ? nullptr : it->second;
  });
}

namespace {

/// Sum of integer terms: what remains after equal terms of opposite sign cancel.
void terms(const ExprRef &e, bool negative, std::vector<std::pair<ExprRef, bool>> &list) {
  if (e->op == ExprOp::Add || e->op == ExprOp::Sub) {
    terms(e->args[0], negative, list);
    terms(e->args[1], negative != (e->op == ExprOp::Sub), list);
  } else if (e->op == ExprOp::Neg) {
    terms(e->args[0], !negative, list);
  } else {
    list.push_back({e, negative});
  }
}

ExprRef simplifySum(const ExprRef &e) {
  std::vector<std::pair<ExprRef, bool>> list;
  terms(e, false, list);
  int64_t constant = 0;
  std::vector<std::pair<ExprRef, bool>> kept;
  bool changed = false;
  for (auto &[t, negative] : list) {
    if (t->op == ExprOp::Number) {
      constant += negative ? -t->integer : t->integer;
      continue;
    }
    auto other = std::find_if(kept.begin(), kept.end(), [&, n = negative, x = t](auto &k) {
      return k.second != n && equal(k.first, x);
    });
    if (other != kept.end()) {
      kept.erase(other);
      changed = true;
    } else {
      kept.push_back({t, negative});
    }
  }
  size_t numbers = 0;
  for (auto &[t, negative] : list)
    numbers += t->op == ExprOp::Number;
  if (!changed && numbers < 2 && !(numbers == 1 && constant == 0))
    return e;
  ExprRef sum;
  for (auto &[t, negative] : kept)
    sum =
        !sum ? (negative ? unary(ExprOp::Neg, t) : t) : binary(negative ? ExprOp::Sub : ExprOp::Add, sum, t);
  if (!sum)
    return integer(constant);
  if (constant)
    sum = binary(constant < 0 ? ExprOp::Sub : ExprOp::Add, sum, integer(constant < 0 ? -constant : constant));
  return sum;
}

} // namespace

ExprRef simplify(const Cascade &cascade, const ExprRef &e) {
  return rewrite(e, [&](const ExprRef &x) -> ExprRef {
    switch (x->op) {
    case ExprOp::Add:
    case ExprOp::Sub:
      return x->kind == Kind::Int ? simplifySum(x) : x;
    case ExprOp::Mul:
      if (x->kind == Kind::Int && isInteger(x->args[1], 1))
        return x->args[0];
      return x->kind == Kind::Int && isInteger(x->args[0], 1) ? x->args[1] : x;
    case ExprOp::IDiv:
      return isInteger(x->args[1], 1) ? x->args[0] : x;
    case ExprOp::Tuple:
      if (x->args.size() == 2) {
        // (u div |C|, u mod |C|) of one split is u.
        const ExprRef &n = x->args[0], &c = x->args[1];
        ExprRef part = extent(cascade.splits[x->id].parts[1]);
        if (n->op == ExprOp::IDiv && c->op == ExprOp::Mod && equal(n->args[0], c->args[0]) &&
            equal(n->args[1], part) && equal(c->args[1], part))
          return n->args[0];
        return x;
      }
      return x;
    case ExprOp::If:
      if (x->args[0]->op == ExprOp::Number)
        return x->args[0]->integer ? x->args[1] : x->args[2];
      return x;
    case ExprOp::And:
      for (int i : {0, 1})
        if (x->args[i]->op == ExprOp::Number)
          return x->args[i]->integer ? x->args[1 - i] : x->args[i];
      return x;
    case ExprOp::Or:
      for (int i : {0, 1})
        if (x->args[i]->op == ExprOp::Number)
          return x->args[i]->integer ? x->args[i] : x->args[1 - i];
      return x;
    case ExprOp::Not:
      return x->args[0]->op == ExprOp::Number ? boolean(!x->args[0]->integer) : x;
    default:
      return x;
    }
  });
}

} // namespace einfall::transforms
