//===- SemaFunctions.cpp - calls and their expansion (r22) --------------------===//
//
// A function is expanded by name: its parameters are the caller's expressions,
// its variables the caller's variables. Where its body reduces over one of them,
//
//     fn softmax(s; m) { x = max[m] s  n = exp(s - x)  return n / sum[m] n }
//
// the reduction binds a fresh variable, and `s`, `x`, `n` inside mean the same
// expressions with the caller's variable replaced by it. `x[e = i]` is the same
// replacement by an expression.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>

namespace einfall::frontend::sema {

using ast::ExprForm;
using ein::Fn;

namespace {
using Shape = Builtin::Shape;
const std::map<std::string, Builtin, std::less<>> builtins = {
    {"abs", {Shape::Same, Fn::Abs}},
    {"sign", {Shape::Same, Fn::Sign}},
    {"exp", {Shape::Float, Fn::Exp}},
    {"exp2", {Shape::Float, Fn::Exp2}},
    {"expm1", {Shape::Float, Fn::Expm1}},
    {"log", {Shape::Float, Fn::Log}},
    {"log2", {Shape::Float, Fn::Log2}},
    {"log1p", {Shape::Float, Fn::Log1p}},
    {"sqrt", {Shape::Float, Fn::Sqrt}},
    {"rsqrt", {Shape::Float, Fn::Rsqrt}},
    {"tanh", {Shape::Float, Fn::Tanh}},
    {"sigmoid", {Shape::Float, Fn::Sigmoid}},
    {"relu", {Shape::Float, Fn::Relu}},
    {"gelu", {Shape::Float, Fn::Gelu}},
    {"silu", {Shape::Float, Fn::Silu}},
    {"softplus", {Shape::Float, Fn::Softplus}},
    {"elu", {Shape::Float, Fn::Elu}},
    {"erf", {Shape::Float, Fn::Erf}},
    {"sin", {Shape::Float, Fn::Sin}},
    {"cos", {Shape::Float, Fn::Cos}},
    {"floor", {Shape::Float, Fn::Floor}},
    {"ceil", {Shape::Float, Fn::Ceil}},
    {"round", {Shape::Float, Fn::Round}},
    {"bit_length", {Shape::Bits, Fn::BitLength}},
    {"bit_and", {Shape::Bits, Fn::BitAnd, {}, 2}},
    {"bit_or", {Shape::Bits, Fn::BitOr, {}, 2}},
    {"bit_xor", {Shape::Bits, Fn::BitXor, {}, 2}},
    {"exists", {Shape::Exists}},
    {"min", {Shape::Minmax, {}, ExprOp::Min, -1}},
    {"max", {Shape::Minmax, {}, ExprOp::Max, -1}},
    {"clamp", {Shape::Clamp, {}, {}, 3}},
};

std::string plural(size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

/// What is wrong with the numbers of a call; empty: nothing.
std::string arityError(const ast::Expr &call, const ast::Function &f) {
  if (call.args.size() == f.parameters.size() && call.vars.size() == f.variables.size())
    return {};
  return fmt::format("'{}' takes {} and, after ';', {}; here are {} and {}", f.name.text,
                     plural(f.parameters.size(), "argument"), plural(f.variables.size(), "variable"),
                     call.args.size(), call.vars.size());
}
std::string arityError(const ast::Expr &call, const Builtin &b) {
  if (!call.vars.empty())
    return fmt::format("'{}' takes no variables after ';'", call.name.text);
  if (b.arity < 0 ? call.args.size() < 2 : call.args.size() != static_cast<size_t>(b.arity))
    return b.arity < 0 ? fmt::format("'{}' takes two or more arguments, {} given; over a rank write {}[m] ..",
                                     call.name.text, call.args.size(), call.name.text)
                       : fmt::format("'{}' takes {}, {} given", call.name.text, plural(b.arity, "argument"),
                                     call.args.size());
  return {};
}
std::pair<std::string_view, std::string> refusal(const std::string &name) {
  std::string_view rule = refusedFunction(name);
  if (rule == "ein-u3")
    return {rule, fmt::format("random numbers ('{}') are not supported: pass them in as a tensor", name)};
  if (rule == "ein-u4")
    return {
        rule,
        fmt::format("complex numbers ('{}') are not supported: pass real and imaginary parts as two tensors",
                    name)};
  return {};
}
} // namespace

const Builtin *findBuiltin(std::string_view name) {
  auto it = builtins.find(name);
  return it == builtins.end() ? nullptr : &it->second;
}

std::vector<std::string> builtinNames() {
  std::vector<std::string> names;
  for (auto &[name, b] : builtins)
    names.push_back(name);
  return names;
}

std::string_view refusedFunction(std::string_view name) {
  for (std::string_view random :
       {"random", "rand", "randn", "rand_like", "randint", "uniform", "normal", "gaussian", "bernoulli",
        "dropout", "random_uniform", "random_normal", "gumbel", "multinomial"})
    if (name == random)
      return "ein-u3";
  for (std::string_view complex :
       {"complex", "real", "imag", "conj", "cis", "polar", "angle", "fft", "ifft", "rfft"})
    if (name == complex)
      return "ein-u4";
  return {};
}

const Function *FunctionTable::find(const std::string &name) const {
  auto it = byName.find(name);
  return it == byName.end() ? nullptr : &it->second;
}

// ---- what is wrong with a function whoever calls it ----

namespace {
class FunctionCheck {
public:
  FunctionCheck(FunctionTable &table, Diagnostics &diagnostics) : table(table), diagnostics(diagnostics) {}

  void run(Function &f) {
    function = &f;
    std::set<std::string> names;
    auto add = [&](const ast::Name &name) {
      if (!names.insert(name.text).second)
        error("ein-r5", name.range,
              fmt::format("'{}' is defined twice in '{}'", name.text, f.ast->name.text));
    };
    for (const ast::Name &name : f.ast->parameters)
      add(name);
    variables.clear();
    reported.clear();
    for (const ast::Name &name : f.ast->variables) {
      add(name);
      variables.insert(name.text);
    }
    for (const ast::Local &local : f.ast->locals) {
      if (local.value)
        check(*local.value, names);
      add(local.name);
    }
    if (f.ast->result)
      check(*f.ast->result, names);
  }

  /// Reports each ring of calls once.
  void recursion(Function &f) {
    if (path.size() > 1000)
      return; // expansion has a limit of its own
    path.push_back(&f);
    for (auto &[callee, range] : calls[&f]) {
      auto onPath = std::find(path.begin(), path.end(), callee);
      if (onPath != path.end()) {
        std::string ring;
        bool reported = false;
        for (auto it = onPath; it != path.end(); ++it) {
          ring += (*it)->ast->name.text + " -> ";
          reported |= inRing.count(*it) != 0;
        }
        for (auto it = onPath; it != path.end(); ++it) {
          inRing.insert(*it);
          (*it)->poisoned = true;
        }
        if (!reported)
          diagnostics.error("ein-r22", range,
                            fmt::format("recursion: {}{}; write the equations of a recurrence instead", ring,
                                        callee->ast->name.text));
      } else if (!visited.count(callee)) {
        recursion(*callee);
      }
      f.poisoned |= callee->poisoned;
    }
    visited.insert(&f);
    path.pop_back();
  }

private:
  FunctionTable &table;
  Diagnostics &diagnostics;
  Function *function = nullptr;
  std::set<std::string> variables;
  std::set<std::string> reported; ///< undefined names of this function
  std::map<Function *, std::vector<std::pair<Function *, Range>>> calls;
  std::vector<Function *> path;
  std::set<Function *> visited, inRing;

  Diagnostic &error(std::string rule, Range range, std::string message) {
    function->poisoned = true;
    return diagnostics.error(std::move(rule), range, std::move(message));
  }
  void unknown(const ast::Name &name, const std::set<std::string> &names) {
    function->poisoned = true;
    if (!reported.insert(name.text).second)
      return;
    Diagnostic &d =
        error("ein-r4", name.range,
              fmt::format("'{}' is not defined in function '{}'", name.text, function->ast->name.text));
    std::string best = nearest(name.text, {names.begin(), names.end()});
    if (!best.empty()) {
      d.message += fmt::format("; did you mean '{}'?", best);
      d.fixIt = FixIt{name.range, best};
    } else {
      d.message += ": a function sees its parameters, variables and locals only";
    }
  }

  void check(const ast::Expr &e, const std::set<std::string> &names) {
    switch (e.form) {
    case ExprForm::Name:
      if (!names.count(e.name.text))
        return unknown(e.name, names);
      for (const ast::Subscript &s : e.subscripts) {
        if (s.form != ast::Subscript::Form::Replace) {
          error(
              "ein-r22", s.range,
              fmt::format(
                  "'{}' is an expression here, it has no subscripts: write {}[v = ..] to replace a variable",
                  e.name.text, e.name.text));
          continue;
        }
        if (!names.count(s.var.text))
          unknown(s.var, names);
        if (s.expr)
          check(*s.expr, names);
      }
      return;
    case ExprForm::Extent:
      if (!e.name.text.empty() && e.name.text[0] >= 'A' && e.name.text[0] <= 'Z')
        error("ein-r22", e.range,
              fmt::format("a function knows no ranks: pass a variable after ';' and write '|v|', not '|{}|'",
                          e.name.text));
      else if (!names.count(e.name.text))
        unknown(e.name, names);
      return;
    case ExprForm::Reduce: {
      std::set<std::string> inner = names;
      for (const ast::Bind &bind : e.binds) {
        if (bind.in && !names.count(bind.in->text))
          error(
              "ein-r22", bind.in->range,
              fmt::format("'{}' is no variable of this function: a function knows no ranks", bind.in->text));
        inner.insert(bind.var.text);
      }
      if (e.filter)
        check(*e.filter, inner);
      for (const ast::ExprPtr &x : e.args)
        if (x)
          check(*x, inner);
      if (e.aux)
        check(*e.aux, names);
      return;
    }
    case ExprForm::Call: {
      if (auto it = table.byName.find(e.name.text); it != table.byName.end()) {
        calls[function].push_back({&it->second, e.range});
        if (std::string wrong = arityError(e, *it->second.ast); !wrong.empty())
          error("ein-r22", e.range, wrong)
              .notes.push_back(
                  {it->second.ast->name.range, fmt::format("'{}' is defined here", e.name.text)});
      } else if (const Builtin *b = findBuiltin(e.name.text)) {
        if (std::string wrong = arityError(e, *b); !wrong.empty())
          error("ein-r22", e.range, wrong);
      } else if (auto [rule, message] = refusal(e.name.text); !rule.empty()) {
        error(std::string(rule), e.range, message);
      } else {
        std::vector<std::string> known = builtinNames();
        for (auto &[name, f] : table.byName)
          known.push_back(name);
        Diagnostic &d =
            error("ein-r4", e.name.range, fmt::format("function '{}' is not defined", e.name.text));
        std::string best = nearest(e.name.text, known);
        if (!best.empty()) {
          d.message += fmt::format("; did you mean '{}'?", best);
          d.fixIt = FixIt{e.name.range, best};
        }
      }
      for (const ast::Name &v : e.vars)
        if (!names.count(v.text))
          unknown(v, names);
      for (const ast::ExprPtr &x : e.args)
        if (x)
          check(*x, names);
      return;
    }
    case ExprForm::Error:
      function->poisoned = true;
      return;
    default:
      for (const ast::ExprPtr &x : e.args)
        if (x)
          check(*x, names);
    }
  }
};
} // namespace

FunctionTable collectFunctions(const ast::File &prelude, const ast::File &file,
                               const std::set<const ast::Function *> &broken, Diagnostics &diagnostics) {
  FunctionTable table;
  for (const ast::Item &item : prelude.items)
    if (item.function)
      table.byName[item.function->name.text] = {item.function.get(), true, false};
  for (const ast::Item &item : file.items) {
    if (!item.function)
      continue;
    const ast::Name &name = item.function->name;
    if (findBuiltin(name.text)) {
      diagnostics.error("ein-r2", name.range,
                        fmt::format("'{}' is a function of the language; choose another name", name.text));
      continue;
    }
    auto it = table.byName.find(name.text);
    if (it != table.byName.end() && !it->second.prelude) {
      diagnostics.error("ein-r5", name.range, fmt::format("function '{}' is defined twice", name.text))
          .notes.push_back({it->second.ast->name.range, "the first definition"});
      continue;
    }
    table.byName[name.text] = {item.function.get(), false, false};
  }
  // Functions that did not parse were reported by the parser.
  for (auto &[name, f] : table.byName)
    f.poisoned = broken.count(f.ast) != 0;
  FunctionCheck check(table, diagnostics);
  for (auto &[name, f] : table.byName)
    if (!f.poisoned)
      check.run(f);
  for (auto &[name, f] : table.byName)
    check.recursion(f);
  return table;
}

// ---- calls ----

ExprRef Checker::callExpr(const ast::Expr &e, const Env &env) {
  std::vector<ExprRef> args;
  for (const ast::ExprPtr &x : e.args)
    args.push_back(x ? expr(*x, env) : nullptr);
  const Function *f = functions.find(e.name.text);
  if (f) {
    if (f->poisoned) {
      failed = true;
      return nullptr;
    }
    if (std::string wrong = arityError(e, *f->ast); !wrong.empty()) {
      Diagnostic &d = error("ein-r22", e.range, wrong);
      if (!f->prelude)
        d.notes.push_back({f->ast->name.range, fmt::format("'{}' is defined here", e.name.text)});
      return nullptr;
    }
    return expand(e, *f, std::move(args), env);
  }
  if (const Builtin *b = findBuiltin(e.name.text)) {
    if (std::string wrong = arityError(e, *b); !wrong.empty()) {
      error("ein-r22", e.range, wrong);
      return nullptr;
    }
    return builtinCall(e, *b, std::move(args));
  }
  if (auto [rule, message] = refusal(e.name.text); !rule.empty()) {
    error(std::string(rule), e.range, message);
    return nullptr;
  }
  if (tensors.count(e.name.text)) {
    error("ein-r4", e.name.range,
          fmt::format("'{}' is a tensor, no function: write {}[..]", e.name.text, e.name.text));
    return nullptr;
  }
  failed = true;
  if (!unknown.insert(e.name.text + "()").second)
    return nullptr;
  std::vector<std::string> known = builtinNames();
  for (auto &[name, function] : functions.byName)
    known.push_back(name);
  suggest(error("ein-r4", e.name.range, fmt::format("function '{}' is not defined", e.name.text)),
          e.name.range, e.name.text, known);
  return nullptr;
}

ExprRef Checker::builtinCall(const ast::Expr &e, const Builtin &b, std::vector<ExprRef> args) {
  for (const ExprRef &x : args)
    if (!x)
      return nullptr;
  auto call = [&](Kind kind) -> ExprRef {
    for (const ExprRef &x : args)
      if (!x)
        return nullptr;
    ein::Expr x{ExprOp::Call, kind};
    x.fn = b.fn;
    x.args = args;
    return node(std::move(x), e.range);
  };
  if (b.shape == Shape::Exists)
    return makeOp(ExprOp::Exists, Kind::Bool, args, e.range);
  for (size_t i = 0; i < args.size(); ++i)
    if (args[i]->kind == Kind::Bool) {
      error(
          "ein-r8", e.args[i]->range,
          fmt::format("'{}' needs a number, not a bool; a bool converts only by cast<..>(..)", e.name.text));
      return nullptr;
    }
  switch (b.shape) {
  case Shape::Float:
    args[0] = toFloat(args[0]);
    return call(Kind::Float);
  case Shape::Same:
    return call(args[0]->kind);
  case Shape::Bits:
    for (size_t i = 0; i < args.size(); ++i)
      if (args[i]->kind != Kind::Int) {
        error("ein-r8", e.args[i]->range, fmt::format("'{}' needs an integer, not a float", e.name.text));
        return nullptr;
      }
    return call(Kind::Int);
  default:
    break;
  }
  bool anyFloat =
      std::any_of(args.begin(), args.end(), [](const ExprRef &x) { return x->kind == Kind::Float; });
  Kind kind = anyFloat ? Kind::Float : Kind::Int;
  if (anyFloat)
    for (ExprRef &x : args)
      x = toFloat(x);
  if (b.shape == Shape::Clamp) // min(max(x, lo), hi)
    return makeOp(ExprOp::Min, kind, {makeOp(ExprOp::Max, kind, {args[0], args[1]}, e.range), args[2]},
                  e.range);
  ExprRef result = args[0];
  for (size_t i = 1; i < args.size(); ++i)
    result = makeOp(b.op, kind, {result, args[i]}, e.range);
  return result;
}

ExprRef Checker::expand(const ast::Expr &e, const Function &f, std::vector<ExprRef> args, const Env &env) {
  Env body;
  body.function = true;
  std::set<std::string> given;
  bool bad = false;
  for (size_t i = 0; i < e.vars.size(); ++i) {
    const ast::Name &name = e.vars[i];
    bool found = false;
    Binding b = lookup(env, name.text, found);
    if (!found || b.var < 0) {
      bad = true;
      failed = true;
      bool silent = !state || state->silent.count(name.text) || state->silent.count("where " + name.text) ||
                    state->silent.count("init " + name.text);
      if (!found && !silent)
        unknownName(name, visibleNames(state));
      else if (found && b.value)
        error("ein-r22", name.range,
              fmt::format("'{}' is an expression; after ';' stand variables", name.text));
    } else if (!given.insert(name.text).second) {
      error("ein-r22", name.range, fmt::format("'{}' is passed twice after ';'", name.text));
      bad = true;
    }
    body.names[f.ast->variables[i].text] = {b.var, nullptr};
  }
  if (bad)
    return nullptr;
  for (size_t i = 0; i < args.size(); ++i)
    body.names[f.ast->parameters[i].text] = {-1, args[i]};
  callStack.push_back(&e);
  for (const ast::Local &local : f.ast->locals)
    body.names[local.name.text] = {-1, local.value ? expr(*local.value, body) : nullptr};
  ExprRef result = f.ast->result ? expr(*f.ast->result, body) : nullptr;
  if (!callStack.empty())
    callStack.pop_back();
  return result;
}

ExprRef Checker::functionName(const ast::Expr &e, const Env &env) {
  bool found = false;
  Binding b = lookup(env, e.name.text, found);
  if (!found) {
    unknownName(e.name, {});
    return nullptr;
  }
  if (b.var >= 0) {
    if (e.bracketed) {
      error("ein-r22", e.range, fmt::format("'{}' is a variable, it has no subscripts", e.name.text));
      return nullptr;
    }
    ein::Expr c{ExprOp::Coord, Kind::Int};
    c.id = b.var;
    return node(std::move(c), e.range);
  }
  if (!b.value || !e.bracketed)
    return b.value;
  std::map<VarId, ExprRef> with;
  for (const ast::Subscript &s : e.subscripts) {
    if (s.form != ast::Subscript::Form::Replace || !s.expr) {
      failed = true;
      return nullptr;
    }
    bool known = false;
    Binding v = lookup(env, s.var.text, known);
    ExprRef by = expr(*s.expr, env);
    if (!known || v.var < 0) {
      if (v.value || !known)
        error("ein-r22", s.var.range,
              fmt::format("'{}' is no variable; '{} = ..' replaces one", s.var.text, s.var.text));
      return nullptr;
    }
    if (!by)
      return nullptr;
    if (by->kind != Kind::Int) {
      error("ein-r8", s.expr->range,
            fmt::format("a coordinate must be an integer, not {}: cast<index>(..)", kindName(by->kind)));
      return nullptr;
    }
    if (!with.insert({v.var, by}).second) {
      error("ein-r22", s.var.range, fmt::format("'{}' is replaced twice", s.var.text));
      return nullptr;
    }
  }
  return instantiate(b.value, with);
}

} // namespace einfall::frontend::sema
