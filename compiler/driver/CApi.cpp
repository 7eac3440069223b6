//===- CApi.cpp - einfall.h over the driver ---------------------------------------------===//
//
// No exception and no C++ type crosses this border: every function that can fail
// runs inside `guarded`, which turns what is thrown into a status and a text.
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Driver.h"
#include "compiler/driver/Explain.h"
#include "compiler/driver/einfall.h"
#include "frontend/Frontend.h"
#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <new>
#include <sstream>

using namespace einfall;

struct einfall_options {
  driver::Options driver;
  frontend::Bindings bindings;
  std::string entry;
};

struct einfall_program {
  std::unique_ptr<driver::Compiled> compiled;
  std::unique_ptr<driver::Kernel> kernel;
  std::map<std::string, std::string> texts;
};

namespace {

/// A failed call: what the caller gets.
struct Failed {
  einfall_status status;
  std::string text;
};

void copyText(const std::string &text, char *error, size_t size) {
  if (!error || size == 0)
    return;
  const size_t length = std::min(text.size(), size - 1);
  std::memcpy(error, text.data(), length);
  error[length] = 0;
}

template <class Body>
einfall_status guarded(char *error, size_t size, Body body) {
  try {
    copyText("", error, size);
    body();
    return EINFALL_OK;
  } catch (const Failed &failed) {
    copyText(failed.text, error, size);
    return failed.status;
  } catch (const std::bad_alloc &) {
    copyText("out of memory", error, size);
    return EINFALL_OUT_OF_MEMORY;
  } catch (const std::exception &exception) {
    copyText(fmt::format("internal error: {}", exception.what()), error, size);
    return EINFALL_INTERNAL;
  }
}

[[noreturn]] void fail(const driver::Failure &failure) {
  throw Failed{failure.defect ? EINFALL_INTERNAL : EINFALL_BAD_ARGUMENT, failure.text};
}
[[noreturn]] void refuse(std::string text) { throw Failed{EINFALL_BAD_ARGUMENT, std::move(text)}; }

void setOption(einfall_options &options, const std::string &key, const std::string &value) {
  auto after = [&](const char *prefix) -> std::optional<std::string> {
    const std::string start = prefix;
    if (key.size() > start.size() && key.compare(0, start.size(), start) == 0)
      return key.substr(start.size());
    return std::nullopt;
  };
  if (key == "target") {
    options.driver.target = value;
  } else if (key == "entry") {
    options.entry = value;
  } else if (key == "require") {
    if (value != "fused")
      refuse(fmt::format("option 'require' is 'fused', not '{}'", value));
    options.driver.requireFused = true;
  } else if (auto rank = after("rank.")) {
    int64_t extent = -1;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), extent);
    if (code != std::errc() || end != value.data() + value.size() || extent < 0)
      refuse(fmt::format("option '{}': '{}' is no extent", key, value));
    options.bindings.ranks[*rank] = extent;
  } else if (auto parameter = after("param.")) {
    options.bindings.parameters[*parameter] = value;
  } else if (auto tensor = after("dtype.")) {
    const std::optional<ein::Type> type = ein::parseType(value);
    if (!type)
      refuse(fmt::format("option '{}': '{}' is no element type", key, value));
    options.bindings.types[*tensor] = *type;
  } else {
    refuse(fmt::format(
        "there is no option '{}'; options are target, entry, require, rank.NAME, param.NAME, dtype.NAME",
        key));
  }
}

/// The one cascade meant by a text and its options.
ein::Cascade checkText(const std::string &name, std::string text, const einfall_options &options) {
  frontend::Result result = frontend::load(name, std::move(text), options.bindings, options.entry);
  if (!result.diagnostics.empty())
    refuse(result.diagnostics.render());
  if (result.cascades.size() == 1)
    return std::move(result.cascades[0]);
  std::string names;
  for (const ein::Cascade &cascade : result.cascades)
    names += (names.empty() ? "" : ", ") + cascade.name;
  refuse(
      names.empty()
          ? fmt::format("{} has no cascade{}", name, options.entry.empty() ? "" : " '" + options.entry + "'")
          : fmt::format("{} has several cascades, {}: choose one with option 'entry'", name, names));
}

std::unique_ptr<einfall_program> compileText(const std::string &name, std::string text,
                                             const einfall_options *given) {
  static const einfall_options defaults;
  const einfall_options &options = given ? *given : defaults;
  const ein::Cascade cascade = checkText(name, std::move(text), options);
  auto compiled = driver::compile(cascade, options.driver);
  if (!compiled)
    fail(compiled.failure);
  auto kernel = driver::load(*compiled.value);
  if (!kernel)
    fail(kernel.failure);
  auto program = std::make_unique<einfall_program>();
  program->texts = {{"name", cascade.name},
                    {"ein", ein::print(cascade)},
                    {"header", compiled->header},
                    {"json", compiled->json},
                    {"explain", driver::explainJson(compiled->explanation)}};
  program->compiled = std::move(compiled.value);
  program->kernel = std::move(kernel.value);
  return program;
}

} // namespace

int32_t einfall_api_version(void) { return EINFALL_API_VERSION; }

einfall_options *einfall_options_create(void) { return new (std::nothrow) einfall_options; }
void einfall_options_destroy(einfall_options *options) { delete options; }

einfall_status einfall_options_set(einfall_options *options, const char *key, const char *value, char *error,
                                   size_t size) {
  return guarded(error, size, [&] {
    if (!options || !key || !value)
      refuse("einfall_options_set got a null pointer");
    setOption(*options, key, value);
  });
}

einfall_status einfall_compile(const char *name, const char *text, const einfall_options *options,
                               einfall_program **program, char *error, size_t size) {
  return guarded(error, size, [&] {
    if (!name || !text || !program)
      refuse("einfall_compile got a null pointer");
    *program = nullptr;
    *program = compileText(name, text, options).release();
  });
}

einfall_status einfall_compile_file(const char *path, const einfall_options *options,
                                    einfall_program **program, char *error, size_t size) {
  return guarded(error, size, [&] {
    if (!path || !program)
      refuse("einfall_compile_file got a null pointer");
    *program = nullptr;
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    if (!file || !(text << file.rdbuf()))
      refuse(fmt::format("cannot read '{}'", path));
    *program = compileText(path, text.str(), options).release();
  });
}

void einfall_program_destroy(einfall_program *program) { delete program; }

const einfall_kernel *einfall_program_kernel(const einfall_program *program) {
  return program ? program->kernel->description() : nullptr;
}

einfall_status einfall_program_run(const einfall_program *program, const einfall_argument *arguments,
                                   int32_t count, einfall_pool *pool, char *error, size_t size) {
  return einfall_run(einfall_program_kernel(program), arguments, count, pool, error, size);
}

const char *einfall_program_text(const einfall_program *program, const char *what) {
  if (!program || !what)
    return nullptr;
  const auto found = program->texts.find(what);
  return found == program->texts.end() ? nullptr : found->second.c_str();
}

const void *einfall_program_object(const einfall_program *program, size_t *size) {
  if (!program)
    return nullptr;
  if (size)
    *size = program->compiled->object.size();
  return program->compiled->object.data();
}
