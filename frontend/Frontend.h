//===- Frontend.h - from .ein text to checked cascades ------------------------===//
#pragma once
#include "dialects/ein/Cascade.h"
#include "frontend/Ast.h"
#include "frontend/Source.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace einfall::frontend {

/// Hard limits of the language implementation; exceeding one is an error (ein-r1).
struct Limits {
  static constexpr size_t fileBytes = 1 << 20;
  static constexpr int nesting = 200;              ///< of expressions
  static constexpr int ranks = 16;                 ///< of one tensor
  static constexpr int equations = 4096;           ///< of one cascade
  static constexpr size_t expandedNodes = 1 << 20; ///< after function expansion, a cascade
};

/// Parses the text of `diagnostics.sources[file]`; recovers, so a tree comes
/// back even when there were errors.
ast::File parse(Diagnostics &diagnostics, uint32_t file = 0);

/// Canonical layout of a file without syntax errors, comments kept; idempotent.
std::string format(const ast::File &file, const Source &source);

/// What the command line binds at compile time.
struct Bindings {
  std::map<std::string, int64_t> ranks;          ///< --rank E=64
  std::map<std::string, std::string> parameters; ///< --param window=512 (text of a constant)
  std::map<std::string, ein::Type> types;        ///< --dtype Q=bf16; "all": every float tensor of the header
};

/// Checks every cascade of the file (or only `entry`, when not empty) and
/// returns those without errors. `diagnostics.sources` must hold the prelude as
/// source 1 (see `preludeText`). A binding that names nothing is an error with
/// an invalid range.
std::vector<ein::Cascade> check(const ast::File &file, Diagnostics &diagnostics,
                                const Bindings &bindings = {}, const std::string &entry = {});

/// Text of frontend/prelude.ein, built into the library.
std::string_view preludeText();

struct Result {
  Diagnostics diagnostics;
  ast::File file;
  std::vector<ein::Cascade> cascades;
};
/// parse + check of a text; what every tool calls.
Result load(std::string name, std::string text, const Bindings &bindings = {}, const std::string &entry = {});

} // namespace einfall::frontend
