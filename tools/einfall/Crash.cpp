//===- Crash.cpp - a defect is exit code 3 with a reproducer, never a signal ---===//
//
// Everything the handler prints is prepared beforehand: in a handler only
// open, write and _exit are safe. It runs on a stack of its own, so an overflow
// of the stack is reported like everything else.
//
//===----------------------------------------------------------------------===//
#include "tools/einfall/Command.h"
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace einfall::cli {

static std::string commandLine, sourceText, reproducerPath;
static char handlerStack[64 * 1024];

static void put(int file, const char *text, size_t size) {
  while (size > 0) {
    ssize_t n = write(file, text, size);
    if (n <= 0)
      return;
    text += n;
    size -= n;
  }
}
static void put(int file, const char *text) { put(file, text, std::strlen(text)); }

std::string writeReproducer(const char *reason) {
  int file = open(reproducerPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0)
    return "its command line";
  put(file, "// einfall 0.1\n// ");
  put(file, commandLine.data(), commandLine.size());
  put(file, "\n// ");
  put(file, reason);
  put(file, "\n");
  put(file, sourceText.data(), sourceText.size());
  close(file);
  return reproducerPath;
}

static void onSignal(int number) {
  const char *reason = number == SIGSEGV || number == SIGBUS ? "memory that is not its own was touched"
                       : number == SIGFPE                    ? "an arithmetic exception"
                       : number == SIGILL                    ? "an illegal instruction"
                                                             : "an assertion failed";
  int file = open(reproducerPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) {
    put(file, "// einfall 0.1\n// ");
    put(file, commandLine.data(), commandLine.size());
    put(file, "\n// ");
    put(file, reason);
    put(file, "\n");
    put(file, sourceText.data(), sourceText.size());
    close(file);
  }
  put(STDERR_FILENO, "einfall: error: a defect of Einfall: ");
  put(STDERR_FILENO, reason);
  put(STDERR_FILENO, "; please report it with ");
  put(STDERR_FILENO, reproducerPath.c_str());
  put(STDERR_FILENO, "\n");
  _exit(Defect);
}

void installCrashHandler(int argc, char **argv) {
  for (int i = 0; i < argc; ++i)
    commandLine += (i ? " " : "") + std::string(argv[i]);
  for (char &c : commandLine)
    if (c == '\n' || c == '\r')
      c = ' ';
  const char *folder = std::getenv("TMPDIR");
  reproducerPath = fmt::format("{}/einfall-{}.ein", folder && *folder ? folder : "/tmp", getpid());

  stack_t stack{};
  stack.ss_sp = handlerStack;
  stack.ss_size = sizeof handlerStack;
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    sigaction(number, &action, nullptr);
}

void rememberSource(const std::string &name, const std::string &text) {
  sourceText = "// " + name + "\n" + text;
}

} // namespace einfall::cli
