#include "Case.h"
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <random>

namespace einfall {
using namespace ein;

Cascade loaded(const std::string &text) {
  frontend::Bindings bindings;
  bindings.types["all"] = Type::F64;
  frontend::Result first = frontend::load("test.ein", text, bindings);
  INFO(text);
  INFO(first.diagnostics.render());
  REQUIRE(first.diagnostics.empty());
  auto large = [](const frontend::ast::ExprPtr &e) {
    return e && e->form == frontend::ast::ExprForm::Integer && e->text.size() < 10 && std::stol(e->text) > 6;
  };
  for (const auto &item : first.file.items)
    if (item.cascade)
      for (const auto &s : item.cascade->body) {
        if (s.form == frontend::ast::Stmt::Form::Param && large(s.value))
          bindings.parameters[s.name.text] = "3";
        if (s.form == frontend::ast::Stmt::Form::Rank && large(s.value))
          bindings.ranks[s.name.text] = 4;
        for (const auto &p : s.parts)
          if (large(p.extent))
            bindings.ranks[p.rank.text] = 3;
      }
  frontend::Result result = frontend::load("test.ein", text, bindings);
  INFO(result.diagnostics.render());
  REQUIRE(result.diagnostics.empty());
  REQUIRE(result.cascades.size() == 1);
  return result.cascades[0];
}

namespace {

class Extents {
public:
  Extents(const Cascade &cascade, Environment &environment, std::mt19937_64 &random, int64_t most)
      : cascade(cascade), environment(environment), random(random), most(most),
        known(cascade.ranks.size(), false) {
    for (size_t r = 0; r < environment.extent.size(); ++r)
      known[r] = environment.extent[r] >= 0;
    environment.extent.resize(cascade.ranks.size(), -1);
  }

  void choose() {
    for (size_t r = 0; r < cascade.ranks.size(); ++r)
      if (cascade.ranks[r].fixed)
        set(static_cast<RankId>(r), *cascade.ranks[r].fixed);
    while (follow() || guess())
      ;
  }

private:
  const Cascade &cascade;
  Environment &environment;
  std::mt19937_64 &random;
  int64_t most;
  std::vector<bool> known;

  void set(RankId r, int64_t n) {
    environment.extent[r] = n;
    known[r] = true;
  }

  bool follow() {
    bool progress = false;
    for (size_t r = 0; r < cascade.ranks.size(); ++r) {
      const ExprRef &e = cascade.ranks[r].definition;
      if (known[r] || !e)
        continue;
      bool ready = true;
      walk(e, [&](const Expr &x) { ready &= x.op != ExprOp::Extent || known[x.id]; });
      if (!ready)
        continue;
      Environment now = environment;
      for (int64_t &n : now.extent)
        n = std::max<int64_t>(n, 0);
      std::string error;
      auto v = evaluateConstant(cascade, now, e, error);
      INFO(error);
      REQUIRE(v);
      set(static_cast<RankId>(r), v->i);
      progress = true;
    }
    for (const Split &s : cascade.splits) {
      int64_t rest = 1;
      bool all = true;
      for (size_t i = 1; i < s.parts.size(); ++i) {
        all &= known[s.parts[i]];
        rest *= std::max<int64_t>(environment.extent[s.parts[i]], 0);
      }
      if (all && known[s.whole] && !known[s.parts[0]]) {
        set(s.parts[0], rest ? (environment.extent[s.whole] + rest - 1) / rest : 0);
        progress = true;
      } else if (all && known[s.parts[0]] && !known[s.whole]) {
        set(s.whole, rest * environment.extent[s.parts[0]]);
        progress = true;
      }
    }
    return progress;
  }

  bool guess() {
    // Parts but the first, then free ranks, then wholes as a multiple of all their parts.
    auto isWhole = [&](RankId r) {
      return std::any_of(cascade.splits.begin(), cascade.splits.end(),
                         [&](const Split &s) { return s.whole == r; });
    };
    auto isFirst = [&](RankId r) {
      return std::any_of(cascade.splits.begin(), cascade.splits.end(),
                         [&](const Split &s) { return s.parts[0] == r; });
    };
    for (int round = 0; round < 3; ++round)
      for (size_t i = 0; i < cascade.ranks.size(); ++i) {
        RankId r = static_cast<RankId>(i);
        if (known[r] || (round == 0 && (isWhole(r) || isFirst(r))) || (round == 1 && isFirst(r)))
          continue;
        int64_t n = pick();
        if (isWhole(r)) {
          int64_t unit = 1;
          for (const Split &s : cascade.splits)
            if (s.whole == r) {
              int64_t rest = 1;
              for (size_t k = 1; k < s.parts.size(); ++k)
                rest *= known[s.parts[k]] ? std::max<int64_t>(environment.extent[s.parts[k]], 1) : 1;
              unit = std::lcm(unit, rest);
            }
          n = unit * std::min<int64_t>(n, 3);
        }
        set(r, n);
        return true;
      }
    return false;
  }

  int64_t pick() {
    return most == 0 ? static_cast<int64_t>(random() % 2) : 1 + static_cast<int64_t>(random() % most);
  }
};

} // namespace

Environment arguments(const Cascade &cascade, uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 17);
  Environment env;
  for (const ScalarArg &s : cascade.scalars) {
    if (s.defaultValue)
      env.scalars.push_back(std::nullopt);
    else
      env.scalars.push_back(kindOf(s.type) == Kind::Float ? cellOf(0.4) : cellOf(int64_t(2)));
  }
  Extents(cascade, env, random, seed % 8 == 7 ? 0 : cascade.ranks.size() > 8 ? 4 : 7).choose();
  env.tensors.resize(cascade.tensors.size());
  std::normal_distribution<double> normal;
  for (size_t t = 0; t < cascade.tensors.size(); ++t) {
    const Tensor &tensor = cascade.tensors[t];
    if (tensor.role != Role::Input)
      continue;
    Array a{tensor.type, {}, {}, {}};
    int64_t count = 1;
    for (size_t i = 0; i < tensor.ranks.size(); ++i) {
      a.shape.push_back(env.extent[tensor.ranks[i]] + tensor.plus[i]);
      count *= a.shape.back();
    }
    for (int64_t i = 0; i < count; ++i)
      switch (kindOf(tensor.type)) {
      case Kind::Float:
        a.value.push_back(cellOf(roundTo(tensor.type, normal(random))));
        break;
      case Kind::Int:
        a.value.push_back(cellOf(static_cast<int64_t>(random() % 4)));
        break;
      case Kind::Bool:
        a.value.push_back(cellOf(static_cast<int64_t>(random() % 3 != 0)));
      }
    env.tensors[t] = std::move(a);
  }
  return env;
}

Environment adapted(const Cascade &after, const Environment &environment) {
  Environment env = environment;
  env.tensors.resize(after.tensors.size());
  std::mt19937_64 random(1);
  Extents(after, env, random, 3).choose();
  return env;
}

static Outputs collect(const Cascade &cascade, Environment &env) {
  Outputs out;
  for (size_t t = 0; t < cascade.tensors.size(); ++t)
    if (cascade.tensors[t].role == Role::Output) {
      REQUIRE(env.tensors[t]);
      out.push_back({cascade.tensors[t].name, *env.tensors[t]});
    }
  return out;
}

Outputs evaluated(const Cascade &cascade, const Environment &environment) {
  Environment env = adapted(cascade, environment);
  std::string error;
  bool done = evaluate(cascade, env, error);
  INFO(error);
  INFO(print(cascade));
  REQUIRE(done);
  return collect(cascade, env);
}

Outputs executed(const transforms::Plan &plan, const Environment &environment,
                 const transforms::RunOptions &options) {
  Environment env = adapted(plan.cascade, environment);
  std::string error;
  bool done = transforms::runPlan(plan, env, options, error);
  INFO(error);
  INFO(describe(plan));
  REQUIRE(done);
  return collect(plan.cascade, env);
}

std::string describe(const transforms::Plan &plan) {
  const Cascade &c = plan.cascade;
  std::string out;
  auto vars = [&](const std::vector<VarId> &list) {
    std::string t;
    for (VarId v : list)
      t += (t.empty() ? "" : ",") + c.variables[v].name;
    return "[" + t + "]";
  };
  auto text = [&](const ExprRef &e) { return e ? print(c, e) : std::string("-"); };
  for (const auto &item : plan.items) {
    if (item.stream < 0) {
      for (int e : item.component.equations)
        out += "nest " + print(c, c.equations[e]) + "\n";
      continue;
    }
    const tile::StreamKernel &k = plan.streams[item.stream];
    out += fmt::format("stream {} outer {} lanes {}\n", c.ranks[k.rank].name, vars(k.outer), vars(k.lanes));
    for (const auto &s : k.segments) {
      out += fmt::format("  segment {} of {}\n", c.variables[s.var].name, text(s.extent));
      for (const auto &step : s.steps) {
        const char *kinds[] = {"contract", "map", "fold", "fold_contract", "anchor"};
        out += fmt::format("    {} {} over {} {}: {} by {} where {}{}\n", kinds[static_cast<int>(step.kind)],
                           c.tensors[step.tensor].name, vars(step.over), name(step.op), text(step.a),
                           text(step.b), text(step.mask), step.lag ? " lag" : "");
        for (const auto &t : step.transports) {
          out += "      transport";
          for (TensorId x : t.state)
            out += " " + c.tensors[x].name;
          for (const auto &row : t.matrix) {
            out += " |";
            for (const auto &e : row)
              out += " " + text(e);
          }
          out += t.shift ? " shift\n" : "\n";
        }
      }
    }
    for (const auto &f : k.finish)
      out += fmt::format("  finish {} over {}: {} where {}\n", c.tensors[f.tensor].name, vars(f.over),
                         text(f.value), text(f.mask));
  }
  return out;
}

std::string difference(const Outputs &a, const Outputs &b) {
  if (a.size() != b.size())
    return "not as many outputs";
  for (size_t o = 0; o < a.size(); ++o) {
    const Array &x = a[o].second, &y = b[o].second;
    if (a[o].first != b[o].first || x.shape != y.shape)
      return "shapes of " + a[o].first;
    bool isFloat = kindOf(x.type) == Kind::Float;
    for (size_t i = 0; i < x.value.size(); ++i) {
      bool hasX = x.present.empty() || x.present[i], hasY = y.present.empty() || y.present[i];
      std::string place = a[o].first;
      int64_t rest = static_cast<int64_t>(i);
      std::string index;
      for (size_t k = x.shape.size(); k-- > 0; rest /= x.shape[k])
        index = fmt::format("{}{}{}", rest % x.shape[k], index.empty() ? "" : ",", index);
      place += "[" + index + "]";
      if (hasX != hasY)
        return fmt::format("{} exists {} and {}", place, hasX, hasY);
      if (!isFloat) {
        if (x.value[i].i != y.value[i].i)
          return fmt::format("{}: {} and {}", place, x.value[i].i, y.value[i].i);
        continue;
      }
      double p = x.value[i].f, q = y.value[i].f;
      bool same = p == q || (std::isnan(p) && std::isnan(q)) || std::fabs(p - q) <= 1e-9 * (1 + std::fabs(p));
      if (!same)
        return fmt::format("{}: {} and {}", place, p, q);
    }
  }
  return "";
}

} // namespace einfall
