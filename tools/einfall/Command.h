//===- Command.h - what the verbs of the command line share -------------------===//
//
// A verb is a function on parsed options. It leaves by returning, or by throwing
// `Stop`: main prints the text to standard error and exits with its code. A verb
// writes to standard output (and renames its files into place) as its last act,
// so after an error standard output is empty and every file is as before.
//
//===----------------------------------------------------------------------===//
#pragma once
#include "compiler/driver/Driver.h"
#include "frontend/Frontend.h"
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace einfall::cli {

/// Exit codes of the contract.
enum Code { Done = 0, WrongInput = 1, WrongUse = 2, Defect = 3 };

struct Stop {
  int code;
  std::string text;      ///< one message; printed behind `error:`
  bool finished = false; ///< the text is complete (rendered diagnostics)
};
/// The user's input is wrong; `rule` such as ein-c1 is appended.
[[noreturn]] void wrongInput(std::string message, const char *rule = nullptr);
[[noreturn]] void wrongUse(std::string message);
[[noreturn]] void stop(const driver::Failure &failure);

/// Options of every verb.
struct Terminal {
  std::string color = "auto";
  bool quiet = false, verbose = false;
  bool colored() const; ///< standard error
};

/// Options of every verb with a kernel.
struct Options : Terminal {
  std::string file, entry, target = "native", require, stopAfter, dumpPhases;
  std::vector<std::string> ranks, parameters, types;
  std::string threads;
  frontend::Bindings bindings() const;
  driver::Options driver() const;
  int threadCount() const; ///< 0: all cores
};

void addTerminal(CLI::App &app, Terminal &options);
void addOptions(CLI::App &app, Options &options);
/// A repeatable option that takes one word each time.
CLI::Option *addList(CLI::App &app, const std::string &name, std::vector<std::string> &list,
                     const std::string &help);

/// `NAME=VALUE`, both not empty.
struct Pair {
  std::string name, value;
};
Pair splitPair(const char *option, const std::string &text);
/// Splits all of them; a name given twice is wrong use.
std::vector<Pair> splitPairs(const char *option, const std::vector<std::string> &list);

std::string readText(const std::string &file);
/// Writes files so that either all of them are replaced or none.
struct TextFile {
  std::string path, bytes;
};
void writeAll(const std::vector<TextFile> &files);

/// Parses and checks; the one cascade that `--entry` names or the file holds.
ein::Cascade loadCascade(const Options &options);

/// "a, b and c", quoted.
std::string listed(const std::vector<std::string> &names);
double now(); ///< seconds

/// A line on standard error for work that lasts more than a second, on a
/// terminal; with -v, how long it took.
class Progress {
public:
  Progress(const Terminal &options, std::string what);
  ~Progress();
  Progress(const Progress &) = delete;

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Remembers what a reproducer must contain, and turns signals into exit code 3.
void installCrashHandler(int argc, char **argv);
void rememberSource(const std::string &name, const std::string &text);
/// Writes the reproducer and returns its path.
std::string writeReproducer(const char *reason);

/// Each adds its verb to the application and sets the action that runs it.
using Action = std::function<void()>;
void addCheck(CLI::App &app, Action &action);
void addFormat(CLI::App &app, Action &action);
void addExplain(CLI::App &app, Action &action);
void addTargets(CLI::App &app, Action &action);
void addRun(CLI::App &app, Action &action);
void addCompile(CLI::App &app, Action &action);
void addBench(CLI::App &app, Action &action);
void addRefused(CLI::App &app, Action &action);

} // namespace einfall::cli
