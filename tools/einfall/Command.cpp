//===- Command.cpp - what the verbs of the command line share -----------------===//
#include "tools/einfall/Command.h"
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace einfall::cli {

namespace fs = std::filesystem;

void wrongInput(std::string message, const char *rule) {
  if (rule && message.find("[ein-") == std::string::npos)
    message += fmt::format(" [{}]", rule);
  throw Stop{WrongInput, std::move(message)};
}
void wrongUse(std::string message) { throw Stop{WrongUse, std::move(message)}; }
void stop(const driver::Failure &failure) {
  std::string text = failure.text;
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  if (text.rfind("error: ", 0) == 0)
    text.erase(0, 7);
  // A refusal that was rendered with its place is complete.
  bool finished = text.find(": error: ") != std::string::npos;
  throw Stop{failure.defect ? Defect : WrongInput, finished ? text + "\n" : text,
             finished && !failure.defect};
}

bool Terminal::colored() const { return color == "always" || (color == "auto" && isatty(STDERR_FILENO)); }

CLI::Option *addList(CLI::App &app, const std::string &name, std::vector<std::string> &list,
                     const std::string &help) {
  return app.add_option(name, list, help)->allow_extra_args(false)->take_all();
}

void addTerminal(CLI::App &app, Terminal &options) {
  app.add_option("--color", options.color, "colours in messages")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("auto|always|never");
  app.add_flag("-q,--quiet", options.quiet, "no progress on standard error");
  app.add_flag("-v,--verbose", options.verbose, "say what takes how long");
}

void addOptions(CLI::App &app, Options &options) {
  app.add_option("FILE", options.file, "the .ein file")->required();
  app.add_option("--entry", options.entry, "which cascade of the file")->option_text("NAME");
  addList(app, "--rank", options.ranks, "fix an extent at compile time")->option_text("E=64 ...");
  addList(app, "--param", options.parameters, "a compile-time constant")->option_text("window=512 ...");
  addList(app, "--dtype", options.types, "another element type; all=TYPE: of every float tensor")
      ->option_text("Q=bf16 ...");
  app.add_option("--target", options.target, "native, x86-64-v3, x86-64-v4, ..")->option_text("NAME");
  app.add_option("--threads", options.threads, "default: all cores this process may use")->option_text("N");
  app.add_option("--require", options.require, "fused: refuse to store an intermediate with two token ranks")
      ->option_text("fused");
  app.add_option("--stop-after", options.stopAfter, "for compiler developers: the last phase")
      ->option_text("PHASE");
  app.add_option("--dump-phases", options.dumpPhases, "for compiler developers: the text after every phase")
      ->option_text("DIR");
  addTerminal(app, options);
}

Pair splitPair(const char *option, const std::string &text) {
  size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    wrongUse(fmt::format("{} {}: expected NAME=VALUE", option, text));
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<Pair> splitPairs(const char *option, const std::vector<std::string> &list) {
  std::vector<Pair> pairs;
  std::set<std::string> names;
  for (const std::string &text : list) {
    pairs.push_back(splitPair(option, text));
    if (!names.insert(pairs.back().name).second)
      wrongUse(fmt::format("{} {}: '{}' is given twice", option, text, pairs.back().name));
  }
  return pairs;
}

static bool toInteger(const std::string &text, int64_t &value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

frontend::Bindings Options::bindings() const {
  frontend::Bindings result;
  for (const Pair &p : splitPairs("--rank", ranks)) {
    int64_t extent;
    if (!toInteger(p.value, extent) || extent < 0)
      wrongUse(fmt::format("--rank {}={}: an extent is an integer from 0 to 2^63 - 1", p.name, p.value));
    result.ranks[p.name] = extent;
  }
  for (const Pair &p : splitPairs("--param", parameters))
    result.parameters[p.name] = p.value;
  for (const Pair &p : splitPairs("--dtype", types)) {
    auto type = ein::parseType(p.value);
    if (!type)
      wrongUse(fmt::format(
          "--dtype {}={}: '{}' is no type; there are f64 f32 f16 bf16 f8e4m3 f8e5m2 i64 i32 i16 i8 "
          "i4 u8 bool index",
          p.name, p.value, p.value));
    result.types[p.name] = *type;
  }
  return result;
}

driver::Options Options::driver() const {
  if (!require.empty() && require != "fused")
    wrongUse(fmt::format("--require {}: only 'fused' can be required", require));
  driver::Options result;
  result.target = target;
  result.requireFused = require == "fused";
  result.dumpPhases = dumpPhases;
  result.stopAfter = stopAfter;
  return result;
}

int Options::threadCount() const {
  if (threads.empty())
    return 0;
  int64_t count;
  if (!toInteger(threads, count) || count < 1 || count > 4096)
    wrongUse(fmt::format("--threads {}: a number of threads from 1 to 4096", threads));
  return static_cast<int>(count);
}

// ---- files ----

std::string readText(const std::string &file) {
  std::error_code error;
  if (fs::is_directory(file, error))
    wrongInput(fmt::format("'{}' is a folder, not an .ein file", file));
  std::ifstream in(file, std::ios::binary);
  if (!in)
    wrongInput(fmt::format("'{}' cannot be read: {}", file, std::strerror(errno)));
  // One byte more than the limit, for the parser to complain about.
  std::string text(frontend::Limits::fileBytes + 1, '\0');
  in.read(text.data(), text.size());
  text.resize(in.gcount());
  if (in.bad())
    wrongInput(fmt::format("'{}' cannot be read: {}", file, std::strerror(errno)));
  rememberSource(file, text);
  return text;
}

void writeAll(const std::vector<TextFile> &files) {
  struct Staged {
    std::string temporary, target;
  };
  std::vector<Staged> staged;
  auto fail = [&](const std::string &path, int code) {
    for (const Staged &s : staged)
      ::unlink(s.temporary.c_str());
    wrongInput(fmt::format("'{}' cannot be written: {}", path, std::strerror(code)));
  };
  for (const TextFile &file : files) {
    std::error_code error;
    fs::path target = fs::canonical(file.path, error); // through links, to the file itself
    if (error)
      target = file.path;
    if (fs::is_directory(target, error))
      fail(file.path, EISDIR);
    std::string temporary = fmt::format("{}.{}.tmp", target.string(), getpid());
    staged.push_back({temporary, target.string()});
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(file.bytes.data(), file.bytes.size());
    out.close();
    if (!out)
      fail(file.path, errno ? errno : EIO);
    struct stat old;
    if (::stat(target.c_str(), &old) == 0)
      ::chmod(temporary.c_str(), old.st_mode & 07777);
  }
  for (const Staged &s : staged)
    if (::rename(s.temporary.c_str(), s.target.c_str()) != 0)
      fail(s.target, errno);
}

ein::Cascade loadCascade(const Options &options) {
  std::string text = readText(options.file);
  frontend::Result result = frontend::load(options.file, std::move(text), options.bindings(), options.entry);
  if (!result.diagnostics.empty())
    throw Stop{WrongInput, result.diagnostics.render(options.colored()), true};
  std::vector<std::string> names;
  for (const ein::Cascade &cascade : result.cascades)
    names.push_back(cascade.name);
  if (names.empty())
    wrongInput(fmt::format("'{}' holds functions only, no cascade", options.file), "ein-r1");
  if (names.size() > 1)
    wrongUse(
        fmt::format("'{}' holds the cascades {}: choose one with --entry NAME", options.file, listed(names)));
  return std::move(result.cascades[0]);
}

std::string listed(const std::vector<std::string> &names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i)
    out += (i == 0 ? "'" : i + 1 < names.size() ? ", '" : " and '") + names[i] + "'";
  return out;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ---- progress ----

struct Progress::State {
  std::string what;
  bool verbose;
  double start = now();
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
  std::thread watcher;
};

Progress::Progress(const Terminal &options, std::string what) : state(new State) {
  state->what = std::move(what);
  state->verbose = options.verbose;
  if (options.quiet || !isatty(STDERR_FILENO))
    return;
  state->watcher = std::thread([s = state.get()] {
    std::unique_lock lock(s->mutex);
    if (!s->wake.wait_for(lock, std::chrono::seconds(1), [s] { return s->done; }))
      fmt::print(stderr, "einfall: {} ..\n", s->what);
  });
}

Progress::~Progress() {
  {
    std::lock_guard lock(state->mutex);
    state->done = true;
  }
  state->wake.notify_all();
  if (state->watcher.joinable())
    state->watcher.join();
  if (state->verbose)
    fmt::print(stderr, "einfall: {}: {:.3f} s\n", state->what, now() - state->start);
}

} // namespace einfall::cli
