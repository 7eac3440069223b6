// Any text as a program: diagnostics, or cascades that print as text which
// checks to equal cascades, and that the interpreter evaluates on tiny extents
// (or refuses). The formatter must keep the meaning and be idempotent.
#include "dialects/ein/Interpreter.h"
#include "frontend/Frontend.h"
#include <cstdio>
#include <cstdlib>

using namespace einfall;

static void require(bool condition, const char *what, const std::string &text) {
  if (condition)
    return;
  std::fprintf(stderr, "fuzz: %s\n%s\n", what, text.c_str());
  std::abort();
}

/// Small extents, different for different ranks; a definition's value where there is one.
static bool chooseExtents(const ein::Cascade &cascade, ein::Environment &environment) {
  for (size_t r = 0; r < cascade.ranks.size(); ++r)
    environment.extent.push_back(cascade.ranks[r].fixed.value_or(static_cast<int64_t>(r * 7 % 4)));
  for (const ein::Split &s : cascade.splits) {
    int64_t product = 1;
    for (ein::RankId part : s.parts)
      if (__builtin_mul_overflow(product, environment.extent[part], &product))
        return false;
    if (!cascade.ranks[s.whole].fixed && product)
      environment.extent[s.whole] = product - 1;
  }
  std::string error;
  for (size_t r = 0; r < cascade.ranks.size(); ++r)
    if (!cascade.ranks[r].fixed && cascade.ranks[r].definition)
      if (auto value = ein::evaluateConstant(cascade, environment, cascade.ranks[r].definition, error))
        environment.extent[r] = value->i;
  return true;
}

static void interpret(const ein::Cascade &cascade) {
  ein::Environment environment;
  environment.maxBytes = 1 << 22;
  environment.maxPoints = 1 << 17;
  for (size_t s = 0; s < cascade.scalars.size(); ++s)
    environment.scalars.push_back(cascade.scalars[s].defaultValue ? std::nullopt
                                  : ein::kindOf(cascade.scalars[s].type) == ein::Kind::Float
                                      ? std::optional(ein::cellOf(1.5))
                                      : std::optional(ein::cellOf(int64_t(1))));
  if (!chooseExtents(cascade, environment))
    return;
  for (const ein::Tensor &t : cascade.tensors) {
    environment.tensors.emplace_back();
    if (t.role != ein::Role::Input || t.defaultValue)
      continue;
    ein::Array array{t.type, {}, {}, {}};
    int64_t count = 1;
    for (size_t i = 0; i < t.ranks.size(); ++i) {
      array.shape.push_back(environment.extent[t.ranks[i]] + t.plus[i]);
      if (array.shape.back() < 0 || __builtin_mul_overflow(count, array.shape.back(), &count) ||
          count > 1 << 16)
        return;
    }
    for (int64_t i = 0; i < count; ++i)
      array.value.push_back(ein::kindOf(t.type) == ein::Kind::Float  ? ein::cellOf(0.25 * double(i % 9) - 1)
                            : ein::kindOf(t.type) == ein::Kind::Bool ? ein::cellOf(int64_t(i % 2))
                                                                     : ein::cellOf(int64_t(i % 5) - 1));
    environment.tensors.back() = std::move(array);
  }
  std::string error;
  for (bool checked : {false, true}) {
    ein::Environment copy = environment;
    copy.checked = checked;
    bool done = ein::evaluate(cascade, copy, error);
    require(done || !error.empty(), "a refusal without a text", cascade.name);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  frontend::Result result = frontend::load("fuzz.ein", text);
  if (!result.diagnostics.empty()) {
    require(!result.diagnostics.render().empty(), "errors without a text", text);
    return 0;
  }
  std::string formatted = frontend::format(result.file, *result.diagnostics.sources[0]);
  frontend::Result again = frontend::load("fuzz.ein", formatted);
  require(again.diagnostics.empty(), "the formatted text has errors", formatted + again.diagnostics.render());
  require(frontend::format(again.file, *again.diagnostics.sources[0]) == formatted,
          "the formatter is not idempotent", formatted);
  require(again.cascades.size() == result.cascades.size(), "the formatter lost a cascade", formatted);
  for (size_t i = 0; i < result.cascades.size(); ++i) {
    std::string printed = ein::print(result.cascades[i]);
    require(ein::print(again.cascades[i]) == printed, "the formatter changed the meaning", formatted);
    frontend::Result reread = frontend::load("fuzz.ein", printed);
    require(reread.diagnostics.empty() && reread.cascades.size() == 1, "the printed cascade does not check",
            printed + reread.diagnostics.render());
    require(ein::print(reread.cascades[0]) == printed, "printing is not a round trip",
            printed + ein::print(reread.cascades[0]));
    interpret(result.cascades[i]);
  }
  return 0;
}
