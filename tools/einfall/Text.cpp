//===- Text.cpp - check and fmt: verbs on texts alone -------------------------===//
#include "tools/einfall/Command.h"
#include <fmt/format.h>

namespace einfall::cli {

static void check(const std::vector<std::string> &files, const Terminal &terminal) {
  std::string problems;
  for (const std::string &file : files) {
    frontend::Result result = frontend::load(file, readText(file));
    problems += result.diagnostics.render(terminal.colored());
  }
  if (!problems.empty())
    throw Stop{WrongInput, problems, true};
}

static void format(const std::vector<std::string> &files, bool checkOnly, const Terminal &terminal) {
  std::string problems;
  std::vector<TextFile> changed;
  for (const std::string &file : files) {
    std::string text = readText(file);
    frontend::Diagnostics diagnostics;
    diagnostics.sources.push_back(std::make_shared<frontend::Source>(file, text));
    frontend::ast::File tree = frontend::parse(diagnostics);
    problems += diagnostics.render(terminal.colored());
    if (!diagnostics.empty())
      continue;
    std::string canonical = frontend::format(tree, *diagnostics.sources[0]);
    if (canonical != text)
      changed.push_back({file, std::move(canonical)});
  }
  if (!problems.empty())
    throw Stop{WrongInput, problems, true};
  if (!checkOnly)
    return writeAll(changed);
  for (const TextFile &file : changed)
    problems +=
        fmt::format("{}: error: not in canonical layout; 'einfall fmt {}' writes it\n", file.path, file.path);
  if (!problems.empty())
    throw Stop{WrongInput, problems, true};
}

struct FileOptions : Terminal {
  std::vector<std::string> files;
  bool checkOnly = false;
};

void addCheck(CLI::App &app, Action &action) {
  auto options = std::make_shared<FileOptions>();
  CLI::App *verb = app.add_subcommand("check", "parse and check; prints diagnostics only");
  verb->add_option("FILE", options->files, ".ein files")->required();
  addTerminal(*verb, *options);
  verb->callback([options, &action] { action = [options] { check(options->files, *options); }; });
}

void addFormat(CLI::App &app, Action &action) {
  auto options = std::make_shared<FileOptions>();
  CLI::App *verb = app.add_subcommand("fmt", "write files in canonical layout, comments kept");
  verb->add_option("FILE", options->files, ".ein files")->required();
  verb->add_flag("--check", options->checkOnly, "only report files that are not in canonical layout");
  addTerminal(*verb, *options);
  verb->callback(
      [options, &action] { action = [options] { format(options->files, options->checkOnly, *options); }; });
}

} // namespace einfall::cli
