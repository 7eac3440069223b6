//===- Explain.cpp - explain and targets: what the compiler knows --------------===//
#include "compiler/driver/Explain.h"
#include "compiler/driver/Target.h"
#include "tools/einfall/Command.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace einfall::cli {

struct ExplainOptions : Options {
  bool json = false;
};

static void explain(const ExplainOptions &options) {
  driver::Options driverOptions = options.driver();
  ein::Cascade cascade = loadCascade(options);
  Progress progress(options, "explaining");
  auto explanation = driver::explain(cascade, driverOptions);
  if (!explanation)
    stop(explanation.failure);
  std::string text =
      options.json ? driver::explainJson(*explanation.value) : driver::explainText(*explanation.value);
  fmt::print("{}", text);
}

/// The processors of the contract, and what this machine is.
static void targets(bool json) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  for (const char *name : {"native", "x86-64-v3", "x86-64-v4"}) {
    pipeline::Target target;
    std::string error;
    if (!driver::resolveTarget(name, target, error))
      throw Stop{Defect, error};
    std::vector<std::string> missing = driver::missingHere(target);
    list.push_back({{"name", name},
                    {"cpu", target.cpu},
                    {"vector_bits", target.vectorBits},
                    {"avx512", target.avx512},
                    {"avx512_bf16", target.avx512bf16},
                    {"runs_here", missing.empty()}});
    std::string note = missing.empty() ? "runs here" : "not on this machine, which lacks " + listed(missing);
    text += fmt::format("{:<10}  {:<16}  {} bits{}  {}\n", name, target.cpu, target.vectorBits,
                        target.avx512bf16 ? ", bf16 products" : "", note);
  }
  fmt::print("{}", json ? list.dump(2) + "\n" : text);
}

void addExplain(CLI::App &app, Action &action) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App *verb = app.add_subcommand("explain", "what the compiler understood and did");
  addOptions(*verb, *options);
  verb->add_flag("--json", options->json, "for programs");
  verb->callback([options, &action] { action = [options] { explain(*options); }; });
}

void addTargets(CLI::App &app, Action &action) {
  auto json = std::make_shared<bool>(false);
  CLI::App *verb = app.add_subcommand("targets", "targets built in, and what this machine has");
  verb->add_flag("--json", *json, "for programs");
  verb->callback([json, &action] { action = [json] { targets(*json); }; });
}

/// Verbs of the contract that this version has not: an error of use that says so.
void addRefused(CLI::App &app, Action &action) {
  for (const char *name : {"explore", "grad"}) {
    CLI::App *verb = app.add_subcommand(name, "not in this version");
    verb->allow_extras();
    verb->set_help_flag();
    verb->callback([name, &action] {
      action = [name] { wrongUse(fmt::format("this version of einfall has no '{}'", name)); };
    });
  }
}

} // namespace einfall::cli
