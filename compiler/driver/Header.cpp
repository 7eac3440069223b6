//===- Header.cpp - NAME.h and NAME.json ----------------------------------------------===//
//
// A C program that uses an ahead-of-time kernel reads one header: what the
// arguments are, what may go wrong, and a typed call. The JSON says the same to
// programs. Both come from the description that the call itself is checked by.
//
//===----------------------------------------------------------------------===//
#include "compiler/driver/Codegen.h"
#include "einfall/element.h"
#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

namespace einfall::driver {

namespace {

/// A name of the cascade as a member of a C struct: words of C and C++ get a `_`.
std::string member(const std::string &name) {
  static constexpr std::array<std::string_view, 64> words = {
      "alignas",   "alignof",  "and",    "asm",      "auto",     "bool",     "break",   "case",
      "catch",     "char",     "class",  "const",    "continue", "default",  "delete",  "do",
      "double",    "else",     "enum",   "explicit", "export",   "extern",   "false",   "float",
      "for",       "friend",   "goto",   "if",       "inline",   "int",      "long",    "mutable",
      "namespace", "new",      "not",    "operator", "or",       "private",  "public",  "register",
      "requires",  "restrict", "return", "short",    "signed",   "sizeof",   "static",  "struct",
      "switch",    "template", "this",   "throw",    "true",     "try",      "typedef", "typename",
      "union",     "unsigned", "using",  "virtual",  "void",     "volatile", "while",   "xor"};
  return std::find(words.begin(), words.end(), name) == words.end() ? name : name + "_";
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::toupper(c)); });
  return text;
}

/// "B, H, P + 1".
std::string shapeText(const einfall_kernel &k, const einfall_tensor_info &info) {
  std::string text;
  for (int32_t r = 0; r < info.rank; ++r)
    text += fmt::format("{}{}{}", r ? ", " : "", k.ranks[info.ranks[r]].name,
                        info.plus[r] ? fmt::format(" + {}", info.plus[r]) : "");
  return text;
}

const char *elementOf(int32_t type) {
  switch (type) {
  case EINFALL_F64:
    return "double";
  case EINFALL_F32:
    return "float";
  case EINFALL_F16:
  case EINFALL_BF16:
    return "uint16_t (bits)";
  case EINFALL_F8E4M3:
  case EINFALL_F8E5M2:
    return "uint8_t (bits)";
  case EINFALL_I64:
  case EINFALL_INDEX:
    return "int64_t";
  case EINFALL_I32:
    return "int32_t";
  case EINFALL_I16:
    return "int16_t";
  case EINFALL_I8:
    return "int8_t";
  case EINFALL_I4:
    return "uint8_t (two elements, the even coordinate low)";
  default:
    return "uint8_t";
  }
}

std::string exprText(const ein::Cascade &cascade, const ein::ExprRef &e) {
  return e ? ein::print(cascade, e) : "";
}

/// "extents: B from Q, K; C = 64 by default; ..": where each extent comes from.
std::string extentLine(const ein::Cascade &cascade, const einfall_kernel &k, int32_t rank) {
  const einfall_rank_info &info = k.ranks[rank];
  if (info.fixed >= 0)
    return fmt::format("{} = {}, fixed at compile time", info.name, info.fixed);
  std::string from;
  for (int32_t t = 0; t < k.tensor_count; ++t)
    for (int32_t r = 0; r < k.tensors[t].rank; ++r)
      if (k.tensors[t].ranks[r] == rank && k.tensors[t].role == EINFALL_INPUT &&
          from.find(k.tensors[t].name) == std::string::npos)
        from += fmt::format("{}{}", from.empty() ? "" : ", ", k.tensors[t].name);
  std::string text = info.name;
  if (!from.empty())
    text += ": the shape of " + from;
  if (info.definition)
    text += fmt::format("{}{}{}", from.empty() ? " = " : "; ",
                        exprText(cascade, cascade.ranks[size_t(rank)].definition),
                        info.is_default ? " by default" : "");
  for (const ein::Split &split : cascade.splits) {
    std::string parts;
    for (ein::RankId part : split.parts)
      parts += (parts.empty() ? "" : ", ") + cascade.ranks[size_t(part)].name;
    if (split.whole == rank || std::find(split.parts.begin(), split.parts.end(), rank) != split.parts.end())
      text += fmt::format("{}split {} = ({})", text == info.name ? ": " : "; ",
                          cascade.ranks[size_t(split.whole)].name, parts);
  }
  return text;
}

struct Members {
  std::string fields, fill;
};

/// The members of `struct NAME_args` and how the call turns them into arguments.
Members members(const ein::Cascade &cascade, const einfall_kernel &k) {
  Members m;
  for (int32_t t = 0; t < k.tensor_count; ++t) {
    const einfall_tensor_info &info = k.tensors[t];
    const std::string name = member(info.name);
    const bool output = info.role == EINFALL_OUTPUT;
    std::string note =
        fmt::format("{} [{}], {}", einfall_type_name(info.type), shapeText(k, info), elementOf(info.type));
    if (info.default_value)
      note +=
          fmt::format("; NULL: {} everywhere", exprText(cascade, cascade.tensors[size_t(t)].defaultValue));
    m.fields += fmt::format("  const einfall_tensor *{}; /* {}: {} */\n", name, output ? "out" : "in", note);
    m.fill +=
        fmt::format("  if (args->{0})\n    list[count++] = einfall_tensor_argument(\"{1}\", args->{0});\n",
                    name, info.name);
  }
  for (int32_t s = 0; s < k.scalar_count; ++s) {
    const einfall_scalar_info &info = k.scalars[s];
    const std::string name = member(info.name);
    const bool isFloat = einfall_type_is_float(info.type), optional = info.default_value;
    const std::string access = fmt::format("{}args->{}", optional ? "*" : "", name);
    m.fields += fmt::format(
        "  {}{} {}{}; /* {}{} */\n", optional ? "const " : "", isFloat ? "double" : "int64_t",
        optional ? "*" : "", name, einfall_type_name(info.type),
        optional ? fmt::format("; NULL: {}", exprText(cascade, cascade.scalars[size_t(s)].defaultValue))
                 : "");
    const std::string entry = fmt::format("list[count++] = einfall_{}_argument(\"{}\", {});",
                                          isFloat ? "float" : "integer", info.name, access);
    m.fill += optional ? fmt::format("  if (args->{})\n    {}\n", name, entry) : fmt::format("  {}\n", entry);
  }
  return m;
}

} // namespace

std::string headerText(const ein::Cascade &cascade, const einfall_kernel &k, const std::string &target) {
  const std::string name = k.name, guard = "EINFALL_KERNEL_" + upper(name) + "_H";
  const Members m = members(cascade, k);
  std::string extents;
  for (int32_t r = 0; r < k.rank_count; ++r)
    extents += fmt::format(" *   {}\n", extentLine(cascade, k, r));
  return fmt::format(
      R"(/* {0}.h - written by einfall for target {1}. Link {0}.o and libeinfall_rt.a (-lpthread -lm).
 *
 * Extents, known before any data is read:
{2} *
 * Tensors. `shape` and `stride` count elements; every stride is free (inputs may
 * repeat with stride 0 or run backwards), except i4: its last rank is dense and
 * its rows begin at a byte. `data` is aligned to its element, no more is needed;
 * it may be NULL where an extent is 0. Outputs share no memory with anything.
 *
 * Workspace: allocated inside the call and kept in the pool for the next one;
 * nothing else is allocated. Threads: those of the pool; NULL: the caller alone.
 *
 * Result: EINFALL_OK (0), or
 *   EINFALL_BAD_ARGUMENT   `error` names the tensor, the rank and both numbers
 *   EINFALL_OUT_OF_MEMORY  the workspace could not be allocated
 *   EINFALL_INTERNAL       {0}.o and libeinfall_rt.a are of different versions
 * and in every case but the first no output was touched. */
#ifndef {3}
#define {3}
#include "einfall/runtime.h"

#ifdef __cplusplus
extern "C" {{
#endif

/* For einfall_bind and einfall_run, which take arguments by name. */
extern const einfall_kernel {0}_kernel;

struct {0}_args {{
{4}}};

/* One call; tensors left NULL are absent. */
static inline einfall_status {0}_run(const struct {0}_args *args, einfall_pool *pool, char *error, size_t error_size) {{
  einfall_argument list[{5}];
  int32_t count = 0;
{6}  return einfall_run(&{0}_kernel, list, count, pool, error, error_size);
}}

#ifdef __cplusplus
}}
#endif
#endif
)",
      name, target, extents, guard, m.fields, std::max(1, k.tensor_count + k.scalar_count), m.fill);
}

std::string jsonText(const ein::Cascade &cascade, const einfall_kernel &k, const std::string &target) {
  using nlohmann::ordered_json;
  ordered_json root;
  root["cascade"] = k.name;
  root["abi"] = k.abi;
  root["target"] = target;
  root["symbol"] = std::string(k.name) + "_kernel";
  root["ranks"] = ordered_json::array();
  for (int32_t r = 0; r < k.rank_count; ++r) {
    ordered_json rank = {{"name", k.ranks[r].name}};
    if (k.ranks[r].fixed >= 0)
      rank["fixed"] = k.ranks[r].fixed;
    if (k.ranks[r].definition)
      rank[k.ranks[r].is_default ? "default" : "definition"] =
          exprText(cascade, cascade.ranks[size_t(r)].definition);
    root["ranks"].push_back(rank);
  }
  root["splits"] = ordered_json::array();
  for (const ein::Split &split : cascade.splits) {
    ordered_json parts = ordered_json::array();
    for (ein::RankId part : split.parts)
      parts.push_back(cascade.ranks[size_t(part)].name);
    root["splits"].push_back({{"rank", cascade.ranks[size_t(split.whole)].name}, {"parts", parts}});
  }
  root["inputs"] = root["outputs"] = ordered_json::array();
  for (int32_t t = 0; t < k.tensor_count; ++t) {
    const einfall_tensor_info &info = k.tensors[t];
    ordered_json shape = ordered_json::array();
    for (int32_t r = 0; r < info.rank; ++r)
      shape.push_back(fmt::format("{}{}", k.ranks[info.ranks[r]].name,
                                  info.plus[r] ? fmt::format(" + {}", info.plus[r]) : ""));
    ordered_json tensor = {{"name", info.name},
                           {"type", einfall_type_name(info.type)},
                           {"shape", shape},
                           {"alignment", (einfall_type_bits(info.type) + 7) / 8},
                           {"strides", info.type == EINFALL_I4 ? "last rank dense, the others even" : "any"}};
    if (info.default_value)
      tensor["default"] = exprText(cascade, cascade.tensors[size_t(t)].defaultValue);
    root[info.role == EINFALL_INPUT ? "inputs" : "outputs"].push_back(tensor);
  }
  root["scalars"] = ordered_json::array();
  for (int32_t s = 0; s < k.scalar_count; ++s) {
    ordered_json scalar = {{"name", k.scalars[s].name}, {"type", einfall_type_name(k.scalars[s].type)}};
    if (k.scalars[s].default_value)
      scalar["default"] = exprText(cascade, cascade.scalars[size_t(s)].defaultValue);
    root["scalars"].push_back(scalar);
  }
  root["errors"] = {{"0", "done"},
                    {"1", "bad argument: the text names tensor, rank and numbers; outputs untouched"},
                    {"2", "out of memory; outputs untouched"},
                    {"3", "object and runtime are of different versions; outputs untouched"}};
  return root.dump(2) + "\n";
}

} // namespace einfall::driver
