#include "dialects/ein/Schedule.h"
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>

namespace einfall::ein {

namespace {

// ---- how far a subscript lies from a coordinate ----

/// sum of coefficient * variable + constant; extents that are not fixed count
/// as variables of their own (negative keys).
struct Affine {
  bool ok = true;
  std::map<int, int64_t> terms;
  int64_t constant = 0;

  static Affine unknown() {
    Affine a;
    a.ok = false;
    return a;
  }
  Affine scaled(int64_t factor) const {
    Affine a = *this;
    a.ok &= !__builtin_mul_overflow(a.constant, factor, &a.constant);
    for (auto &[key, c] : a.terms)
      a.ok &= !__builtin_mul_overflow(c, factor, &c);
    return a;
  }
  Affine plus(const Affine &b) const {
    Affine a = *this;
    a.ok &= b.ok && !__builtin_add_overflow(a.constant, b.constant, &a.constant);
    for (auto &[key, c] : b.terms)
      a.ok &= !__builtin_add_overflow(a.terms[key], c, &a.terms[key]);
    std::erase_if(a.terms, [](auto &term) { return term.second == 0; });
    return a;
  }
};

Affine affine(const Cascade &cascade, const ExprRef &e) {
  Affine a;
  switch (e->op) {
  case ExprOp::Number:
    a.constant = e->integer;
    a.ok = e->kind == Kind::Int;
    return a;
  case ExprOp::Coord:
    a.terms[e->id] = 1;
    return a;
  case ExprOp::Extent:
    if (cascade.ranks[e->id].fixed)
      a.constant = *cascade.ranks[e->id].fixed;
    else
      a.terms[-1 - e->id] = 1;
    return a;
  case ExprOp::Neg:
    return affine(cascade, e->args[0]).scaled(-1);
  case ExprOp::Add:
    return affine(cascade, e->args[0]).plus(affine(cascade, e->args[1]));
  case ExprOp::Sub:
    return affine(cascade, e->args[0]).plus(affine(cascade, e->args[1]).scaled(-1));
  case ExprOp::Mul:
    for (int i = 0; i < 2; ++i) {
      Affine factor = affine(cascade, e->args[i]);
      if (factor.ok && factor.terms.empty())
        return affine(cascade, e->args[1 - i]).scaled(factor.constant);
    }
    return Affine::unknown();
  default:
    return Affine::unknown();
  }
}

/// Where a read may lie, relative to a coordinate: low <= subscript - v <= high.
struct Distance {
  std::optional<int64_t> low, high;
  bool back(bool backward, bool strictly) const {
    if (backward)
      return low && *low >= (strictly ? 1 : 0);
    return high && *high <= (strictly ? -1 : 0);
  }
  bool exact() const { return low && high && *low == *high; }
};

/// Restricts u - v by one conjunct of a filter.
void restrict(const Cascade &cascade, const Expr &conjunct, VarId u, VarId v, Distance &d) {
  if (conjunct.op < ExprOp::Lt || conjunct.op > ExprOp::Eq || conjunct.args[0]->kind != Kind::Int)
    return;
  // left - right, as sign * (u - v) + k
  Affine a = affine(cascade, conjunct.args[0]).plus(affine(cascade, conjunct.args[1]).scaled(-1));
  if (!a.ok || a.terms.size() != 2 || !a.terms.count(u) || !a.terms.count(v))
    return;
  int64_t sign = a.terms[u], k = a.constant;
  if ((sign != 1 && sign != -1) || a.terms[v] != -sign || k > INT64_MAX / 4 || k < INT64_MIN / 4)
    return;
  auto above = [&](int64_t x) { d.low = d.low ? std::max(*d.low, x) : x; };
  auto below = [&](int64_t x) { d.high = d.high ? std::min(*d.high, x) : x; };
  // sign * (u - v) <= limit
  auto atMost = [&](int64_t limit) { sign == 1 ? below(limit) : above(-limit); };
  auto atLeast = [&](int64_t limit) { sign == 1 ? above(limit) : below(-limit); };
  switch (conjunct.op) {
  case ExprOp::Lt:
    return atMost(-k - 1);
  case ExprOp::Le:
    return atMost(-k);
  case ExprOp::Gt:
    return atLeast(-k + 1);
  case ExprOp::Ge:
    return atLeast(-k);
  default:
    atMost(-k);
    return atLeast(-k);
  }
}

// ---- reads inside a set of equations ----

struct Access {
  int from, to; ///< equations
  const Expr *read;
  std::vector<ExprRef> subscripts; ///< for each left variable of `to`; null: not comparable
  std::vector<ExprRef> conjuncts;  ///< of the filters around the read
  bool inInit = false;
  bool caught = false; ///< stands in an `else` or `if`
};

void splitConjuncts(const ExprRef &e, std::vector<ExprRef> &list) {
  if (e->op == ExprOp::And) {
    splitConjuncts(e->args[0], list);
    splitConjuncts(e->args[1], list);
  } else {
    list.push_back(e);
  }
}

class Collector {
public:
  Collector(const Cascade &cascade, const std::map<TensorId, int> &members, std::vector<Access> &out)
      : cascade(cascade), members(members), out(out) {}

  void equation(int index) {
    from = index;
    const Equation &eq = cascade.equations[index];
    visit(eq.rhs, false);
    if (eq.where)
      visit(eq.where, false);
    if (eq.init) {
      inInit = true;
      visit(eq.init, false);
      inInit = false;
    }
  }

private:
  const Cascade &cascade;
  const std::map<TensorId, int> &members;
  std::vector<Access> &out;
  int from = 0;
  bool inInit = false;
  std::vector<ExprRef> conjuncts;

  void visit(const ExprRef &e, bool caught) {
    if (e->op == ExprOp::Read)
      if (auto it = members.find(e->id); it != members.end())
        add(*e, it->second, caught);
    bool inner = caught || e->op == ExprOp::Else || e->op == ExprOp::If;
    size_t before = conjuncts.size();
    if (e->op == ExprOp::Reduce) {
      for (const ExprRef &x : e->at)
        visit(x, inner);
      if (e->aux)
        visit(e->aux, inner);
      if (e->filter) {
        splitConjuncts(e->filter, conjuncts);
        visit(e->filter, inner);
      }
    }
    for (const ExprRef &x : e->args)
      visit(x, inner);
    conjuncts.resize(before);
  }

  void add(const Expr &read, int to, bool caught) {
    Access a{from, to, &read, {}, conjuncts, inInit, caught};
    const Equation &target = cascade.equations[to];
    for (size_t i = 0; i < target.lhs.size(); ++i) {
      const ExprRef &left = target.lhs[i], &here = read.args[i];
      if (left->op != ExprOp::Tuple) {
        a.subscripts.push_back(here->op == ExprOp::Tuple ? nullptr : here);
        continue;
      }
      bool same = here->op == ExprOp::Tuple && here->id == left->id;
      for (size_t k = 0; k < left->args.size(); ++k)
        a.subscripts.push_back(same && here->args[k]->op != ExprOp::Tuple ? here->args[k] : nullptr);
    }
    out.push_back(std::move(a));
  }
};

/// Of subscript `k` of the read from the coordinate `v` of the reading equation.
Distance distance(const Cascade &cascade, const Access &access, size_t k, VarId v) {
  if (access.inInit || !access.subscripts[k])
    return {};
  Affine a = affine(cascade, access.subscripts[k]);
  if (!a.ok || a.terms.size() != 1 || a.terms.begin()->second != 1)
    return {};
  VarId u = a.terms.begin()->first;
  if (u < 0)
    return {};
  if (u == v)
    return {a.constant, a.constant};
  Distance d;
  for (const ExprRef &conjunct : access.conjuncts)
    restrict(cascade, *conjunct, u, v, d);
  if (d.low)
    *d.low += a.constant;
  if (d.high)
    *d.high += a.constant;
  return d;
}

// ---- one cyclic component ----

class ComponentSolver {
public:
  ComponentSolver(const Cascade &cascade, std::vector<int> members)
      : cascade(cascade), members(std::move(members)) {
    std::map<TensorId, int> byTensor;
    for (int m : this->members)
      byTensor[cascade.equations[m].tensor] = m;
    Collector collector(cascade, byTensor, accesses);
    for (int m : this->members)
      collector.equation(m);
    for (size_t i = 0; i < this->members.size(); ++i)
      place[this->members[i]] = i;
  }

  std::optional<Component> solve() {
    std::vector<bool> open(accesses.size(), true);
    // One rank first; two only if no single one does.
    for (bool two : {false, true})
      for (RankId rank : candidates())
        for (bool backward : {false, true}) {
          std::optional<Component> found;
          steps = 0;
          assign(rank, backward, open, {}, 0, [&](const std::vector<int> &choice) {
            std::vector<bool> stays = staying(choice, backward, open);
            if (!two) {
              if (auto order = topological(stays))
                found = component(*order, rank, backward, choice);
            } else {
              found = inside(rank, backward, choice, stays);
            }
            return found.has_value();
          });
          if (found)
            return found;
        }
    return std::nullopt;
  }

  ScheduleFailure failure() const {
    std::vector<int> ring = shortestRing();
    ScheduleFailure f;
    f.rule = "ein-r20";
    f.equation = ring[0];
    f.message = "cycle ";
    for (int e : ring)
      f.message += cascade.tensors[cascade.equations[e].tensor].name + " -> ";
    f.message += cascade.tensors[cascade.equations[ring[0]].tensor].name + " goes back along no rank";
    // The read of the ring that is to blame: one that goes back along nothing.
    for (size_t i = 0; i < ring.size(); ++i)
      for (const Access &a : accesses) {
        if (a.from != ring[i] || a.to != ring[(i + 1) % ring.size()])
          continue;
        bool goesBack = false;
        for (size_t k = 0; k < a.subscripts.size(); ++k)
          for (VarId v : cascade.equations[a.from].vars) {
            Distance d = distance(cascade, a, k, v);
            goesBack |= cascade.rankOf(v) == cascade.rankOf(cascade.equations[a.to].vars[k]) &&
                        (d.back(false, true) || d.back(true, true));
          }
        if (!goesBack && f.note.empty()) {
          f.note = "'" + cascade.tensors[a.read->id].name + "' is read here, and does not go back";
          f.read = a.read->range;
        }
      }
    return f;
  }

private:
  const Cascade &cascade;
  std::vector<int> members;
  std::map<int, size_t> place; ///< equation to position in `members`
  std::vector<Access> accesses;
  int steps = 0;

  const std::vector<VarId> &left(int equation) const { return cascade.equations[equation].vars; }

  std::vector<RankId> candidates() const {
    std::vector<RankId> list;
    for (VarId v : left(members[0]))
      if (std::find(list.begin(), list.end(), cascade.rankOf(v)) == list.end())
        list.push_back(cascade.rankOf(v));
    return list;
  }

  /// Chooses for every member a left variable of `rank` (not one in `taken`)
  /// such that every open read stays or goes back; calls `done` for each choice
  /// until it returns true.
  bool assign(RankId rank, bool backward, const std::vector<bool> &open, std::vector<int> choice, size_t next,
              const std::function<bool(const std::vector<int> &)> &done, const std::vector<int> &taken = {}) {
    if (++steps > 100000)
      return false;
    if (next == members.size())
      return done(choice);
    const auto &vars = left(members[next]);
    for (size_t k = 0; k < vars.size(); ++k) {
      if (cascade.rankOf(vars[k]) != rank || (!taken.empty() && taken[next] == static_cast<int>(k)))
        continue;
      choice.push_back(static_cast<int>(k));
      if (consistent(choice, backward, open) && assign(rank, backward, open, choice, next + 1, done, taken))
        return true;
      choice.pop_back();
    }
    return false;
  }

  Distance along(const Access &a, const std::vector<int> &choice) const {
    size_t from = place.at(a.from), to = place.at(a.to);
    return distance(cascade, a, choice[to], left(a.from)[choice[from]]);
  }

  bool consistent(const std::vector<int> &choice, bool backward, const std::vector<bool> &open) const {
    int last = members[choice.size() - 1];
    for (size_t i = 0; i < accesses.size(); ++i) {
      const Access &a = accesses[i];
      if (!open[i] || (a.from != last && a.to != last) || place.at(a.from) >= choice.size() ||
          place.at(a.to) >= choice.size())
        continue;
      if (!along(a, choice).back(backward, false))
        return false;
    }
    return true;
  }

  /// Open reads that do not certainly go back.
  std::vector<bool> staying(const std::vector<int> &choice, bool backward,
                            const std::vector<bool> &open) const {
    std::vector<bool> result(accesses.size());
    for (size_t i = 0; i < accesses.size(); ++i)
      result[i] = open[i] && !along(accesses[i], choice).back(backward, true);
    return result;
  }

  /// An order in which what `stays` reads comes first; nothing: there is a ring.
  std::optional<std::vector<int>> topological(const std::vector<bool> &stays) const {
    std::map<int, std::set<int>> needs;
    for (size_t i = 0; i < accesses.size(); ++i)
      if (stays[i])
        needs[accesses[i].from].insert(accesses[i].to);
    std::vector<int> order;
    std::set<int> done;
    while (order.size() < members.size()) {
      bool progress = false;
      for (int m : members) {
        if (done.count(m) ||
            !std::all_of(needs[m].begin(), needs[m].end(), [&](int n) { return done.count(n) != 0; }))
          continue;
        order.push_back(m);
        done.insert(m);
        progress = true;
      }
      if (!progress)
        return std::nullopt;
    }
    return order;
  }

  Component component(const std::vector<int> &order, RankId rank, bool backward,
                      const std::vector<int> &choice) const {
    Component c;
    c.equations = order;
    c.rank = rank;
    c.backward = backward;
    for (int m : order)
      c.variables.push_back(left(m)[choice[place.at(m)]]);
    return c;
  }

  std::optional<Component> inside(RankId rank, bool backward, const std::vector<int> &choice,
                                  const std::vector<bool> &open) {
    for (RankId inner : candidates())
      for (bool innerBackward : {false, true}) {
        std::optional<Component> found;
        assign(
            inner, innerBackward, open, {}, 0,
            [&](const std::vector<int> &innerChoice) {
              auto order = topological(staying(innerChoice, innerBackward, open));
              if (!order)
                return false;
              found = component(*order, rank, backward, choice);
              found->inner = inner;
              found->innerBackward = innerBackward;
              for (int m : *order)
                found->innerVariables.push_back(left(m)[innerChoice[place.at(m)]]);
              return true;
            },
            choice);
        if (found)
          return found;
      }
    return std::nullopt;
  }

  /// The shortest ring through the first member.
  std::vector<int> shortestRing() const {
    std::map<int, int> previous;
    std::deque<int> queue{members[0]};
    while (!queue.empty()) {
      int e = queue.front();
      queue.pop_front();
      for (const Access &a : accesses) {
        if (a.from != e)
          continue;
        if (a.to == members[0]) {
          std::vector<int> ring;
          for (int x = e; x != members[0]; x = previous[x])
            ring.push_back(x);
          ring.push_back(members[0]);
          std::reverse(ring.begin(), ring.end());
          return ring;
        }
        if (previous.insert({a.to, e}).second)
          queue.push_back(a.to);
      }
    }
    return {members[0]};
  }
};

/// Strongly connected components, what is read first (Tarjan).
class Components {
public:
  explicit Components(const Cascade &cascade) {
    size_t count = cascade.equations.size();
    std::map<TensorId, int> definition;
    for (size_t i = 0; i < count; ++i)
      definition[cascade.equations[i].tensor] = static_cast<int>(i);
    reads.resize(count);
    for (size_t i = 0; i < count; ++i)
      for (const ExprRef &e :
           {cascade.equations[i].rhs, cascade.equations[i].where, cascade.equations[i].init})
        if (e)
          for (TensorId t : tensorsRead(e))
            if (auto it = definition.find(t); it != definition.end())
              reads[i].push_back(it->second);
    number.assign(count, -1);
    low.assign(count, 0);
    onStack.assign(count, false);
    for (size_t i = 0; i < count; ++i)
      if (number[i] < 0)
        visit(static_cast<int>(i));
  }
  std::vector<std::vector<int>> list;
  bool cyclic(const std::vector<int> &component) const {
    int e = component[0];
    return component.size() > 1 || std::find(reads[e].begin(), reads[e].end(), e) != reads[e].end();
  }

private:
  std::vector<std::vector<int>> reads;
  std::vector<int> number, low, stack;
  std::vector<bool> onStack;
  int next = 0;

  void visit(int e) {
    number[e] = low[e] = next++;
    stack.push_back(e);
    onStack[e] = true;
    for (int r : reads[e])
      if (number[r] < 0) {
        visit(r);
        low[e] = std::min(low[e], low[r]);
      } else if (onStack[r]) {
        low[e] = std::min(low[e], number[r]);
      }
    if (low[e] != number[e])
      return;
    std::vector<int> component;
    int x;
    do {
      x = stack.back();
      stack.pop_back();
      onStack[x] = false;
      component.push_back(x);
    } while (x != e);
    std::sort(component.begin(), component.end());
    list.push_back(std::move(component));
  }
};

} // namespace

std::vector<ScheduleFailure> schedule(Cascade &cascade) {
  std::vector<ScheduleFailure> failures;
  std::vector<Component> result;
  Components components(cascade);
  for (const std::vector<int> &members : components.list) {
    if (!components.cyclic(members)) {
      Component c;
      c.equations = members;
      result.push_back(c);
      continue;
    }
    ComponentSolver solver(cascade, members);
    if (auto found = solver.solve())
      result.push_back(*found);
    else
      failures.push_back(solver.failure());
  }
  if (failures.empty())
    cascade.schedule = std::move(result);
  return failures;
}

void reschedule(Cascade &cascade) {
  auto failures = schedule(cascade);
  if (!failures.empty())
    throw std::logic_error("reschedule: " + failures[0].message);
}

namespace {
/// The position in the tensor's ranks of left variable `k`; -1: it is part of a tuple.
int positionOf(const Equation &equation, VarId v) {
  for (size_t i = 0; i < equation.lhs.size(); ++i)
    if (equation.lhs[i]->op == ExprOp::Coord && equation.lhs[i]->id == v)
      return static_cast<int>(i);
  return -1;
}

struct Step {
  VarId variable; ///< the left variable of the tensor read
  bool backward;
  bool operator<(const Step &other) const { return variable < other.variable; }
};
} // namespace

std::vector<ScheduleFailure> placeInits(Cascade &cascade) {
  std::vector<ScheduleFailure> failures;
  auto nameOf = [&](const Equation &e) { return cascade.tensors[e.tensor].name; };
  std::set<int> cyclic;
  for (const Component &c : cascade.schedule) {
    if (c.rank < 0)
      continue;
    cyclic.insert(c.equations.begin(), c.equations.end());
    std::map<TensorId, int> members;
    std::map<int, size_t> place;
    for (size_t i = 0; i < c.equations.size(); ++i) {
      members[cascade.equations[c.equations[i]].tensor] = c.equations[i];
      place[c.equations[i]] = i;
    }
    std::vector<Access> accesses;
    Collector collector(cascade, members, accesses);
    for (int e : c.equations)
      collector.equation(e);
    // The left variables of the tensor read along which a read steps out of the
    // coordinate of the reader: `t - 1`.
    auto stepsOf = [&](const Access &a) {
      std::set<Step> steps;
      for (bool inner : {false, true}) {
        if (inner && c.inner < 0)
          continue;
        const auto &variables = inner ? c.innerVariables : c.variables;
        VarId from = variables[place.at(a.from)], to = variables[place.at(a.to)];
        const auto &vars = cascade.equations[a.to].vars;
        size_t k = std::find(vars.begin(), vars.end(), to) - vars.begin();
        Distance d = distance(cascade, a, k, from);
        Affine form = a.subscripts[k] ? affine(cascade, a.subscripts[k]) : Affine::unknown();
        if (form.ok && form.terms.count(from) && d.exact() && *d.low != 0)
          steps.insert({to, *d.low > 0});
      }
      return steps;
    };
    for (int e : c.equations) {
      Equation &eq = cascade.equations[e];
      if (!eq.init)
        continue;
      std::set<Step> own, other;
      for (const Access &a : accesses)
        if (a.to == e)
          for (const Step &s : stepsOf(a))
            (a.from == e ? own : other).insert(s);
      const std::set<Step> &steps = own.empty() ? other : own;
      ScheduleFailure f{"ein-r21", {}, e, true, {}, {}};
      if (steps.empty()) {
        f.message = "no equation of the cycle steps back to '" + nameOf(eq) + "': 'init' has no place";
        failures.push_back(f);
        continue;
      }
      if (steps.size() > 1) {
        f.message = "'" + nameOf(eq) + "' steps along two ranks, 'init' belongs to one: write (" +
                    nameOf(eq) + "[..] else ..) at the steps";
        failures.push_back(f);
        continue;
      }
      int position = positionOf(eq, steps.begin()->variable);
      if (position < 0) {
        f.message = "'" + nameOf(eq) +
                    "' steps along a part of a tuple: give the parts ranks of their own on the left";
        failures.push_back(f);
        continue;
      }
      auto free = freeVariables(eq.init);
      if (std::find(free.begin(), free.end(), steps.begin()->variable) != free.end()) {
        f.message = "'init' of '" + nameOf(eq) + "' uses '" +
                    cascade.variables[steps.begin()->variable].name +
                    "', along which it steps: it may use the other left variables only";
        failures.push_back(f);
        continue;
      }
      eq.initRank = position;
      eq.initBackward = steps.begin()->backward;
    }
    if (!failures.empty())
      continue;
    std::set<int> reported;
    for (const Access &a : accesses) {
      const Equation &target = cascade.equations[a.to];
      if (a.caught)
        continue;
      for (const Step &s : stepsOf(a)) {
        if ((target.init && positionOf(target, s.variable) == target.initRank) ||
            !reported.insert(a.to).second)
          continue;
        failures.push_back(
            {"ein-r21",
             "recurrence '" + nameOf(target) + "' needs 'init'" +
                 (target.init ? " along " + cascade.ranks[cascade.rankOf(s.variable)].name + " too" : "") +
                 ", or (" + nameOf(target) + "[..] else ..) at the step",
             a.to, false, "the step is here", a.read->range});
      }
    }
  }
  for (size_t e = 0; e < cascade.equations.size(); ++e)
    if (cascade.equations[e].init && !cyclic.count(static_cast<int>(e)))
      failures.push_back(
          {"ein-r21",
           "'" + nameOf(cascade.equations[e]) + "' does not depend on itself: 'init' has no place",
           static_cast<int>(e),
           true,
           {},
           {}});
  return failures;
}

} // namespace einfall::ein
