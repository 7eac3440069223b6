//===- Load.cpp - from text to checked cascades -------------------------------===//
#include "frontend/Sema.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace einfall::frontend {

namespace {
/// Whether the parser has complained between the beginning of item `i` and the
/// next one: what it dropped there would show up as unknown names.
bool hasSyntaxError(const std::vector<Diagnostic> &list, const ast::File &file, size_t i) {
  auto begin = [&](size_t k) {
    const ast::Item &item = file.items[k];
    return item.function ? item.function->range.begin : item.cascade->range.begin;
  };
  uint32_t from = begin(i), to = i + 1 < file.items.size() ? begin(i + 1) : UINT32_MAX;
  return std::any_of(list.begin(), list.end(), [&](const Diagnostic &d) {
    return d.range.file == 0 && d.range.begin >= from && d.range.begin < to;
  });
}

void refuseUnused(const Bindings &unused, Diagnostics &diagnostics) {
  for (auto &[name, value] : unused.ranks)
    diagnostics.error("ein-r4", {}, fmt::format("--rank {}={}: no cascade has a rank {}", name, value, name));
  for (auto &[name, text] : unused.parameters)
    diagnostics.error("ein-r4", {},
                      fmt::format("--param {}={}: no cascade has a parameter '{}'", name, text, name));
  for (auto &[name, type] : unused.types)
    diagnostics.error(
        "ein-r4", {},
        fmt::format("--dtype {}={}: no header has a tensor or scalar '{}'", name, ein::name(type), name));
}
} // namespace

std::vector<ein::Cascade> check(const ast::File &file, Diagnostics &diagnostics, const Bindings &bindings,
                                const std::string &entry) {
  std::vector<ein::Cascade> result;
  std::vector<Diagnostic> syntax = diagnostics.list();
  Diagnostics preludeErrors;
  preludeErrors.sources = diagnostics.sources;
  ast::File prelude;
  if (diagnostics.sources.size() > 1)
    prelude = parse(preludeErrors, 1);
  std::set<const ast::Function *> broken;
  for (size_t i = 0; i < file.items.size(); ++i)
    if (file.items[i].function && hasSyntaxError(syntax, file, i))
      broken.insert(file.items[i].function.get());
  sema::FunctionTable functions = sema::collectFunctions(prelude, file, broken, diagnostics);

  Bindings unused = bindings;
  std::map<std::string, Range> seen;
  std::vector<std::string> names;
  bool entryFound = entry.empty(), anySkipped = false;
  for (size_t i = 0; i < file.items.size(); ++i) {
    const ast::Item &item = file.items[i];
    if (!item.cascade)
      continue;
    const ast::Name &name = item.cascade->name;
    names.push_back(name.text);
    auto [at, fresh] = seen.insert({name.text, name.range});
    if (!fresh)
      diagnostics.error("ein-r5", name.range, fmt::format("cascade '{}' is defined twice", name.text))
          .notes.push_back({at->second, "the first definition"});
    if (!entry.empty() && name.text != entry)
      continue;
    entryFound = true;
    if (!fresh || hasSyntaxError(syntax, file, i)) {
      anySkipped = true;
      continue;
    }
    // A cascade with errors may have used a binding without a trace of it.
    sema::Checker checker(*item.cascade, functions, diagnostics, bindings, unused);
    if (auto checked = checker.run())
      result.push_back(std::move(*checked));
  }
  if (!entryFound) {
    std::string message = fmt::format("no cascade '{}'", entry);
    std::string near = sema::nearest(entry, names);
    if (!near.empty())
      message += fmt::format("; did you mean '{}'?", near);
    diagnostics.error("ein-r4", {}, message);
  } else if (!anySkipped) {
    refuseUnused(unused, diagnostics);
  }
  return result;
}

Result load(std::string name, std::string text, const Bindings &bindings, const std::string &entry) {
  Result result;
  result.diagnostics.sources.push_back(std::make_shared<Source>(std::move(name), std::move(text)));
  result.diagnostics.sources.push_back(std::make_shared<Source>("prelude.ein", std::string(preludeText())));
  result.file = parse(result.diagnostics, 0);
  result.cascades = check(result.file, result.diagnostics, bindings, entry);
  return result;
}

} // namespace einfall::frontend
