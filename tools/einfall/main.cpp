//===- main.cpp - einfall, the command line ------------------------------------===//
#include "compiler/driver/Driver.h"
#include "tools/einfall/Command.h"
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <new>
#include <unistd.h>

using namespace einfall::cli;

static int report(int code, const std::string &text) {
  bool color = isatty(STDERR_FILENO);
  fmt::print(stderr, "{}error:{} {}\n", color ? "\033[1;31m" : "", color ? "\033[0m" : "", text);
  return code;
}

static int defect(const std::string &reason) {
  std::string path = writeReproducer(reason.c_str());
  fmt::print(stderr, "einfall: error: a defect of Einfall: {}; please report it with {}\n", reason, path);
  return Defect;
}

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN);
  installCrashHandler(argc, argv);
  einfall::driver::abortOnFatalErrors();

  CLI::App app("Einfall: attention cascades, checked, explained, compiled and run", "einfall");
  app.set_version_flag("--version", "einfall 0.1");
  app.require_subcommand(1);
  Action action;
  addCheck(app, action);
  addFormat(app, action);
  addExplain(app, action);
  addRun(app, action);
  addCompile(app, action);
  addBench(app, action);
  addTargets(app, action);
  addRefused(app, action);

  try {
    app.parse(argc, argv);
    action();
    if (std::fflush(stdout) != 0)
      return report(WrongInput, "standard output could not be written");
    return Done;
  } catch (const CLI::ParseError &e) {
    if (e.get_exit_code() == 0)
      return app.exit(e); // --help, --version
    std::string verb;
    for (CLI::App *sub : app.get_subcommands())
      verb = " " + sub->get_name();
    return report(WrongUse, fmt::format("{} (see einfall{} --help)", e.what(), verb));
  } catch (const Stop &s) {
    if (s.code == Defect)
      return defect(s.text);
    if (!s.finished)
      return report(s.code, s.text);
    fmt::print(stderr, "{}", s.text);
    return s.code;
  } catch (const std::bad_alloc &) {
    return report(WrongInput, "out of memory");
  } catch (const std::exception &e) {
    return defect(e.what());
  }
}
