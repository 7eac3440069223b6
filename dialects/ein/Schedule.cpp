#include "dialects/ein/Schedule.h"
#include "dialects/ein/Recurrence.h"
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>

namespace einfall::ein {

namespace {

// ---- one cyclic component ----

class ComponentSolver {
public:
  ComponentSolver(const Cascade &cascade, std::vector<int> members)
      : cascade(cascade), members(std::move(members)) {
    accesses = accessesAmong(cascade, this->members);
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
    std::vector<bool> back(accesses.size());
    for (size_t i = 0; i < accesses.size(); ++i)
      back[i] = goesBackSomewhere(accesses[i]);
    // A ring of reads none of which goes back explains most; else any ring.
    std::vector<int> ring;
    for (int m : members)
      if (ring.empty())
        ring = shortestRing(m, [&](size_t i) { return !back[i]; });
    if (ring.empty())
      ring = shortestRing(members[0], [](size_t) { return true; });
    ScheduleFailure f;
    f.rule = "ein-r20";
    f.equation = ring[0];
    f.message = "cycle ";
    for (int e : ring)
      f.message += cascade.tensors[cascade.equations[e].tensor].name + " -> ";
    f.message += cascade.tensors[cascade.equations[ring[0]].tensor].name + " goes back along no rank";
    for (size_t i = 0; i < ring.size(); ++i)
      for (size_t k = 0; k < accesses.size(); ++k) {
        const Access &a = accesses[k];
        if (a.from != ring[i] || a.to != ring[(i + 1) % ring.size()] || back[k] || !f.note.empty())
          continue;
        f.note = "'" + cascade.tensors[a.read->id].name + "' is read here, and does not go back";
        f.read = a.read->range;
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

  /// Whether a read goes back (or forward) along some rank, for all that is known.
  bool goesBackSomewhere(const Access &a) const {
    for (size_t k = 0; k < a.subscripts.size(); ++k)
      for (VarId v : left(a.from)) {
        if (cascade.rankOf(v) != cascade.rankOf(left(a.to)[k]))
          continue;
        Distance d = distance(cascade, a, k, v);
        if (d.back(false, true) || d.back(true, true))
          return true;
      }
    return false;
  }

  /// The shortest ring through `start` along reads that `use` admits.
  std::vector<int> shortestRing(int start, const std::function<bool(size_t)> &use) const {
    std::map<int, int> previous;
    std::deque<int> queue{start};
    while (!queue.empty()) {
      int e = queue.front();
      queue.pop_front();
      for (size_t i = 0; i < accesses.size(); ++i) {
        const Access &a = accesses[i];
        if (a.from != e || !use(i))
          continue;
        if (a.to == start) {
          std::vector<int> ring;
          for (int x = e; x != start; x = previous[x])
            ring.push_back(x);
          ring.push_back(start);
          std::reverse(ring.begin(), ring.end());
          return ring;
        }
        if (previous.insert({a.to, e}).second)
          queue.push_back(a.to);
      }
    }
    return {};
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
    std::map<int, size_t> place;
    for (size_t i = 0; i < c.equations.size(); ++i)
      place[c.equations[i]] = i;
    std::vector<Access> accesses = accessesAmong(cascade, c.equations);
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
