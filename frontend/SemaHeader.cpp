//===- SemaHeader.cpp - declarations and parameters (r2, r4, r5) --------------===//
//
// Collects every name before any expression is looked at, because the order of
// equations and statements means nothing. `rank M = P` comes first of all: from
// then on both names are one rank.
//
//===----------------------------------------------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace einfall::frontend::sema {

namespace {
bool beginsUpper(std::string_view text) { return !text.empty() && text[0] >= 'A' && text[0] <= 'Z'; }
bool beginsLower(std::string_view text) { return !text.empty() && text[0] >= 'a' && text[0] <= 'z'; }

/// `rank M = P`, as opposed to `rank M = |P|`.
bool isAlias(const ast::Stmt &stmt) {
  return stmt.form == ast::Stmt::Form::Rank && stmt.value && stmt.value->form == ast::ExprForm::Name &&
         !stmt.value->bracketed && beginsUpper(stmt.value->name.text);
}

std::vector<std::string> typeNames() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Type::Index); ++i)
    names.emplace_back(ein::name(static_cast<Type>(i)));
  return names;
}
} // namespace

/// Every rank name gets its id here; names joined by `rank M = P` the same one.
void Checker::declareAliases() {
  std::map<std::string, const ast::Stmt *> alias;
  std::vector<ast::Name> declared;
  for (const auto *decls : {&source.inputs, &source.outputs})
    for (const ast::Decl &decl : *decls)
      for (const ast::Dim &dim : decl.dims)
        declared.push_back(dim.rank);
  std::map<std::string, Range> stated;
  for (const ast::Stmt &stmt : source.body) {
    if (stmt.form == ast::Stmt::Form::Rank) {
      auto [at, fresh] = stated.insert({stmt.name.text, stmt.name.range});
      if (!fresh) {
        error("ein-r5", stmt.name.range, fmt::format("rank {} is defined twice", stmt.name.text))
            .notes.push_back({at->second, "the first definition"});
        continue;
      }
      if (isAlias(stmt)) {
        if (stmt.value->name.text == stmt.name.text)
          error("ein-r5", stmt.name.range, fmt::format("rank {} is defined as itself", stmt.name.text));
        else
          alias[stmt.name.text] = &stmt;
        continue;
      }
      declared.push_back(stmt.name);
    } else if (stmt.form == ast::Stmt::Form::Split) {
      declared.push_back(stmt.name);
      for (const ast::Part &part : stmt.parts)
        declared.push_back(part.rank);
    }
  }
  auto root = [&](std::string name) {
    for (size_t steps = 0; steps <= alias.size(); ++steps) {
      auto it = alias.find(name);
      if (it == alias.end())
        return name;
      name = it->second->value->name.text;
    }
    return name;
  };
  // A ring of aliases: cut at the statement that closes it.
  for (auto it = alias.begin(); it != alias.end();) {
    std::string name = it->second->value->name.text;
    size_t steps = 0;
    while (name != it->first && alias.count(name) && steps++ <= alias.size())
      name = alias[name]->value->name.text;
    if (name == it->first) {
      error("ein-r5", it->second->range, fmt::format("rank {} is defined as itself", name));
      it = alias.erase(it);
    } else {
      ++it;
    }
  }
  auto intern = [&](const ast::Name &name) {
    std::string canonical = root(name.text);
    auto it = ranks.find(canonical);
    if (it == ranks.end()) {
      it = ranks.insert({canonical, static_cast<RankId>(out.ranks.size())}).first;
      ein::Rank rank;
      rank.name = canonical;
      rank.range = locate(name.range);
      out.ranks.push_back(rank);
      extentSource.push_back({});
    }
    if (ranks.insert({name.text, it->second}).second)
      out.ranks[it->second].aliases.push_back(name.text);
  };
  for (const ast::Name &name : declared)
    intern(name);
  for (const ast::Stmt &stmt : source.body)
    if (stmt.form == ast::Stmt::Form::Rank && alias.count(stmt.name.text)) {
      const ast::Name &target = stmt.value->name;
      bool known = false;
      for (const ast::Name &name : declared)
        known |= name.text == target.text;
      known |= alias.count(target.text) != 0;
      if (!known) {
        std::vector<std::string> names;
        for (const ast::Name &name : declared)
          names.push_back(name.text);
        suggest(error("ein-r4", target.range, fmt::format("rank {} is not defined", target.text)),
                target.range, target.text, names);
      }
      intern(stmt.name);
    }
  if (out.ranks.size() > 64)
    error("ein-r9", source.name.range,
          fmt::format("the cascade has {} ranks; at most 64 are possible", out.ranks.size()));
}

RankId Checker::findRank(const ast::Name &name) {
  auto it = ranks.find(name.text);
  if (it != ranks.end())
    return it->second;
  failed = true;
  if (!unknown.insert("|" + name.text).second)
    return -1;
  std::vector<std::string> candidates;
  for (auto &[text, id] : ranks)
    candidates.push_back(text);
  suggest(error("ein-r4", name.range, fmt::format("rank {} is not defined", name.text)), name.range,
          name.text, candidates);
  return -1;
}

bool Checker::declare(const ast::Name &name, std::string_view what) {
  auto [at, fresh] = declaredAt.insert({name.text, name.range});
  if (fresh)
    return true;
  error("ein-r5", name.range, fmt::format("'{}' is defined twice", name.text))
      .notes.push_back({at->second, "the first definition"});
  return false;
}

std::optional<Type> Checker::parseType(const ast::Name &name) {
  if (auto type = ein::parseType(name.text))
    return type;
  if (name.text.rfind("complex", 0) == 0 || name.text == "c64" || name.text == "c128" || name.text == "c32") {
    error(
        "ein-u4", name.range,
        fmt::format("complex numbers ('{}') are not supported: pass real and imaginary parts as two tensors",
                    name.text));
    return std::nullopt;
  }
  suggest(error("ein-r8", name.range, fmt::format("'{}' is no element type", name.text)), name.range,
          name.text, typeNames());
  return std::nullopt;
}

/// `--dtype NAME=type`, `--dtype all=type`.
Type Checker::overridden(const ast::Name &name, Type type) {
  auto it = bindings.types.find(name.text);
  if (it != bindings.types.end()) {
    unused.types.erase(name.text);
    return it->second;
  }
  return type;
}

void Checker::header() {
  for (const ast::Decl &decl : source.inputs) {
    if (decl.empty)
      error("ein-r19", decl.name.range,
            fmt::format("'empty' is for outputs; '{}' is an input, all its points exist", decl.name.text));
    if (decl.bracketed) {
      headerTensor(decl, false);
      continue;
    }
    bool fresh = declare(decl.name, "scalar");
    std::optional<Type> type = parseType(decl.type);
    if (!fresh)
      continue;
    if (beginsUpper(decl.name.text)) {
      error("ein-r2", decl.name.range,
            fmt::format("a scalar's name begins lower-case, not as in '{}'; a tensor has ranks: {}[..]",
                        decl.name.text, decl.name.text));
      poisonedNames.insert(decl.name.text);
      continue;
    }
    if (!type) {
      poisonedNames.insert(decl.name.text);
      continue;
    }
    ein::ScalarArg scalar;
    scalar.name = decl.name.text;
    scalar.type = overridden(decl.name, *type);
    scalar.range = locate(decl.name.range);
    scalars[decl.name.text] = static_cast<int>(out.scalars.size());
    out.scalars.push_back(scalar);
  }
  if (out.scalars.size() > 64)
    error("ein-r1", source.name.range,
          fmt::format("the cascade has {} scalars; at most 64 are possible", out.scalars.size()));
  for (const ast::Decl &decl : source.outputs) {
    if (decl.defaultValue)
      error("ein-r19", decl.defaultValue->range,
            fmt::format("output '{}' takes no '='; what missing points hold is said by 'empty'",
                        decl.name.text));
    headerTensor(decl, true);
  }
  if (bindings.types.count("all"))
    unused.types.erase("all");
}

void Checker::headerTensor(const ast::Decl &decl, bool output) {
  bool fresh = declare(decl.name, "tensor");
  std::optional<Type> type = parseType(decl.type);
  ein::Tensor tensor;
  tensor.name = decl.name.text;
  tensor.role = output ? ein::Role::Output : ein::Role::Input;
  tensor.annotated = true;
  tensor.range = locate(decl.name.range);
  for (const ast::Dim &dim : decl.dims) {
    tensor.ranks.push_back(ranks.at(dim.rank.text));
    tensor.plus.push_back(static_cast<int>(dim.plus));
    if (dim.plus < 0 || dim.plus > 1)
      error("ein-r9", dim.range,
            fmt::format("'{} + {}': one point more than the rank is possible, not {}", dim.rank.text,
                        dim.plus, dim.plus));
    else if (dim.plus && output)
      error("ein-r9", dim.range,
            fmt::format("'{} + {}' is for inputs: no variable of the left side reaches the last point",
                        dim.rank.text, dim.plus));
    tensor.plus.back() = dim.plus == 1;
  }
  if (decl.dims.size() > Limits::ranks)
    failed = true; // the parser has said so
  if (!fresh)
    return;
  if (type) {
    tensor.type = *type;
    if (bindings.types.count("all") && ein::kindOf(*type) == Kind::Float)
      tensor.type = bindings.types.at("all");
    tensor.type = overridden(decl.name, tensor.type);
  } else {
    tensor.type = Type::F32;
    poisonedNames.insert(decl.name.text);
  }
  tensors[decl.name.text] = out.addTensor(tensor);
  tensorPoisoned.push_back(!type);
  equationOf.push_back(nullptr);
  tensorKind.push_back(type ? std::optional(ein::kindOf(tensor.type)) : std::nullopt);
}

/// Defaults and `empty` values; they may use parameters, defaults of scalars
/// also extents and scalars before them.
void Checker::headerConstants() {
  auto scalarDefault = [&](const ast::Decl &decl) {
    auto it = scalars.find(decl.name.text);
    if (it == scalars.end())
      return;
    ein::ScalarArg &scalar = out.scalars[it->second];
    context = Context::ScalarDefault;
    scalarLimit = it->second;
    ExprRef value = expr(*decl.defaultValue, {});
    scalar.defaultValue = stored(value, scalar.type, decl.defaultValue->range,
                                 fmt::format("the default of '{}'", decl.name.text));
  };
  for (const ast::Decl &decl : source.inputs) {
    if (!decl.defaultValue)
      continue;
    if (!decl.bracketed) {
      scalarDefault(decl);
    } else if (auto it = tensors.find(decl.name.text); it != tensors.end()) {
      ein::Tensor &tensor = out.tensors[it->second];
      tensor.defaultValue =
          constant(*decl.defaultValue, tensor.type, fmt::format("the default of '{}'", decl.name.text),
                   decl.defaultValue->range);
    }
  }
  for (const ast::Decl &decl : source.outputs)
    if (auto it = tensors.find(decl.name.text); it != tensors.end() && decl.empty)
      out.tensors[it->second].empty =
          constant(*decl.empty, out.tensors[it->second].type, fmt::format("'empty' of '{}'", decl.name.text),
                   decl.empty->range);
  context = Context::Equation;
}

ExprRef Checker::constant(const ast::Expr &e, Type type, std::string_view what, Range range) {
  Context before = context;
  context = Context::Constant;
  ExprRef value = stored(expr(e, {}), type, range, std::string(what));
  context = before;
  if (!value)
    return nullptr;
  ExprRef folded = foldConstant(value);
  if (!folded) {
    error("ein-r9", range, fmt::format("{} has no value", what));
    return nullptr;
  }
  ein::Expr copy = *folded;
  if (copy.kind == Kind::Int) {
    double rounded = ein::roundTo(type, static_cast<double>(copy.integer));
    if (ein::bitWidth(type) < 64 && rounded != static_cast<double>(copy.integer)) {
      error("ein-r8", range,
            fmt::format("{} is {}, which {} cannot hold", what, copy.integer, ein::name(type)));
      return nullptr;
    }
  } else if (copy.kind == Kind::Float) {
    copy.number = ein::roundTo(type, copy.number);
  }
  return node(std::move(copy), range);
}

void Checker::declareParams() {
  for (const ast::Stmt &stmt : source.body) {
    if (stmt.form != ast::Stmt::Form::Param)
      continue;
    bool fresh = declare(stmt.name, "parameter");
    std::optional<Type> type = stmt.type ? parseType(*stmt.type) : std::nullopt;
    if (!fresh || !stmt.value)
      continue;
    if (!beginsLower(stmt.name.text)) {
      error("ein-r2", stmt.name.range,
            fmt::format("a parameter's name begins lower-case, not as in '{}'", stmt.name.text));
      type.reset();
    }
    if (!type) {
      poisonedNames.insert(stmt.name.text);
      continue;
    }
    params[stmt.name.text] = {&stmt, *type, nullptr, Param::State::New};
  }
  for (auto &[name, ignored] : params)
    param(name);
}

/// Parameters may use one another in any order; evaluated when first asked for.
const Checker::Param *Checker::param(const std::string &name) {
  auto it = params.find(name);
  if (it == params.end())
    return nullptr;
  Param &p = it->second;
  if (p.state == Param::State::Active) {
    error("ein-r20", p.stmt->name.range, fmt::format("parameter '{}' is defined by itself", name));
    return &p;
  }
  if (p.state == Param::State::Done)
    return &p;
  p.state = Param::State::Active;
  p.value = constant(*p.stmt->value, p.type, fmt::format("parameter '{}'", name), p.stmt->value->range);
  auto bound = bindings.parameters.find(name);
  if (bound != bindings.parameters.end()) {
    unused.parameters.erase(name);
    p.value = paramText(name, bound->second);
  }
  p.state = Param::State::Done;
  return &p;
}

/// The text of `--param name=text`, read as a constant expression.
ExprRef Checker::paramText(const std::string &name, const std::string &text) {
  auto refuse = [&](std::string_view why) {
    failed = true;
    diagnostics.error("ein-r8", {}, fmt::format("--param {}={}: {}", name, text, why));
    return nullptr;
  };
  Diagnostics inner;
  inner.sources.push_back(std::make_shared<Source>("--param", "fn value() { return " + text + "\n}"));
  ast::File file = parse(inner, 0);
  if (!inner.empty() || file.items.size() != 1 || !file.items[0].function ||
      !file.items[0].function->locals.empty() || !file.items[0].function->result)
    return refuse("not a constant expression");
  // Checked with diagnostics of its own: its places are none of the file's.
  Bindings none;
  Checker checker(source, functions, inner, none, none);
  for (const auto &[other, p] : params)
    if (p.state == Param::State::Done)
      checker.params[other] = p;
  ExprRef value = checker.constant(*file.items[0].function->result, params[name].type,
                                   fmt::format("parameter '{}'", name), {});
  if (!value)
    return refuse(inner.empty() ? "not a constant expression" : inner.list()[0].message);
  ein::Expr copy = *value;
  copy.range = {};
  return node(std::move(copy), {});
}

void Checker::declareEquations() {
  for (const ast::Stmt &stmt : source.body) {
    if (stmt.form != ast::Stmt::Form::Equation)
      continue;
    EquationState &equation = equations.emplace_back();
    equation.stmt = &stmt;
    const std::string &name = stmt.name.text;
    if (scalars.count(name) || params.count(name)) {
      error("ein-r5", stmt.name.range,
            fmt::format("'{}' is a {}, it has no equation", name,
                        scalars.count(name) ? "scalar argument" : "parameter"))
          .notes.push_back({declaredAt.at(name), "declared here"});
      equation.poisoned = true;
      continue;
    }
    auto it = tensors.find(name);
    if (it == tensors.end()) {
      std::optional<Type> type;
      bool poisoned = false;
      if (stmt.type) {
        type = parseType(*stmt.type);
        poisoned = !type;
      }
      if (poisonedNames.count(name)) {
        equation.poisoned = true;
        continue;
      }
      declaredAt.insert({name, stmt.name.range});
      ein::Tensor tensor;
      tensor.name = name;
      tensor.role = ein::Role::Intermediate;
      tensor.type = type.value_or(Type::F32);
      tensor.annotated = type.has_value();
      tensor.ranks.assign(stmt.left.size(), -1);
      tensor.plus.assign(stmt.left.size(), 0);
      tensor.range = locate(stmt.name.range);
      equation.tensor = tensors[name] = out.addTensor(tensor);
      tensorPoisoned.push_back(poisoned);
      tensorKind.push_back(type ? std::optional(ein::kindOf(*type)) : std::nullopt);
      equationOf.push_back(&equation);
      continue;
    }
    ein::Tensor &tensor = out.tensors[it->second];
    if (tensor.role == ein::Role::Input) {
      error("ein-r5", stmt.name.range, fmt::format("'{}' is an input, it has no equation", name))
          .notes.push_back({declaredAt.at(name), "declared here"});
      equation.poisoned = true;
      continue;
    }
    if (equationOf[it->second]) {
      error("ein-r5", stmt.name.range, fmt::format("'{}' is defined twice", name))
          .notes.push_back({equationOf[it->second]->stmt->name.range, "the first equation"});
      equation.poisoned = true;
      continue;
    }
    equation.tensor = it->second;
    equationOf[it->second] = &equation;
    if (stmt.type) {
      std::optional<Type> type = parseType(*stmt.type);
      if (type && tensor.role == ein::Role::Output && *type != tensor.type && !bindings.types.count(name) &&
          !bindings.types.count("all"))
        error("ein-r5", stmt.type->range,
              fmt::format("'{}' is {} here and {} in the header", name, ein::name(*type),
                          ein::name(tensor.type)))
            .notes.push_back({declaredAt.at(name), "declared here"});
    }
  }
  // An equation that was refused may be the one that is missing.
  bool refused =
      std::any_of(equations.begin(), equations.end(), [](const EquationState &e) { return e.poisoned; });
  for (const ast::Decl &decl : source.outputs)
    if (auto it = tensors.find(decl.name.text);
        it != tensors.end() && !equationOf[it->second] && out.tensors[it->second].role == ein::Role::Output) {
      tensorPoisoned[it->second] = true;
      if (refused)
        continue;
      std::vector<std::string> names;
      for (const EquationState &equation : equations)
        names.push_back(equation.stmt->name.text);
      Diagnostic &d =
          error("ein-r4", decl.name.range, fmt::format("output '{}' has no equation", decl.name.text));
      std::string near = nearest(decl.name.text, names);
      if (!near.empty())
        d.message += fmt::format("; did you mean '{}'?", near);
    }
}

} // namespace einfall::frontend::sema
