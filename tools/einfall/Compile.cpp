//===- Compile.cpp - compile: objects, headers and texts of a cascade ------------===//
#include "tools/einfall/Command.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace einfall::cli {

namespace fs = std::filesystem;

namespace {

struct CompileOptions : Options {
  std::string folder, emit = "obj,header,json";
};

const std::vector<std::string> known = {"obj",  "header", "so",  "asm",   "llvm",
                                        "tile", "ein",    "ptx", "cubin", "json"};

std::vector<std::string> kinds(const std::string &text) {
  std::vector<std::string> result;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    std::string kind = text.substr(begin, end - begin);
    if (std::find(known.begin(), known.end(), kind) == known.end())
      wrongUse(
          fmt::format("--emit {}: '{}' is none of obj, header, so, asm, llvm, tile, ein, json", text, kind));
    if (kind == "ptx" || kind == "cubin")
      wrongUse(fmt::format("--emit {}: this version has no GPU target", kind));
    if (std::find(result.begin(), result.end(), kind) == result.end())
      result.push_back(kind);
    begin = end + 1;
  }
  return result;
}

/// Links the object to a shared library with the system's C compiler; the
/// runtime's functions are resolved by the program that loads it.
std::string shared(const driver::Compiled &compiled) {
  std::string folder = (fs::temp_directory_path() / "einfall-XXXXXX").string();
  if (!mkdtemp(folder.data()))
    wrongInput(fmt::format("no temporary folder: {}", std::strerror(errno)));
  std::string object = folder + "/kernel.o", library = folder + "/kernel.so";
  std::ofstream(object, std::ios::binary).write(compiled.object.data(), compiled.object.size());
  const char *fromUser = std::getenv("CC");
  std::string compiler = fromUser && *fromUser ? fromUser : "cc";
  const char *words[] = {compiler.c_str(), "-shared", "-o", library.c_str(), object.c_str(), "-lm", nullptr};
  pid_t child;
  int status = -1;
  if (posix_spawnp(&child, compiler.c_str(), nullptr, nullptr, const_cast<char **>(words), environ) == 0)
    waitpid(child, &status, 0);
  std::ifstream in(library, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (status != 0 || bytes.empty())
    wrongInput(
        fmt::format("--emit so needs a C compiler; '{}' failed (set CC, or use --emit obj)", compiler));
  return bytes;
}

void compile(const CompileOptions &options) {
  std::vector<std::string> wanted = kinds(options.emit);
  auto wants = [&](const char *kind) {
    return std::find(wanted.begin(), wanted.end(), kind) != wanted.end();
  };
  driver::Options driverOptions = options.driver();
  ein::Cascade cascade = loadCascade(options);
  std::error_code error;
  if (fs::exists(options.folder, error) && !fs::is_directory(options.folder, error))
    wrongInput(fmt::format("'{}' is no folder", options.folder));

  Progress progress(options, "compiling");
  driver::Want want;
  want.texts = wants("llvm") || wants("tile") || wants("ein");
  want.assembly = wants("asm");
  auto compiled = driver::compile(cascade, driverOptions, want);
  if (!compiled)
    stop(compiled.failure);

  bool existed = fs::exists(options.folder, error);
  if (!existed && !fs::create_directories(options.folder, error) && error)
    wrongInput(fmt::format("folder '{}' cannot be made: {}", options.folder, error.message()));
  std::string base = (fs::path(options.folder) / compiled->name).string();
  if (wants("ein") && fs::equivalent(base + ".ein", options.file, error))
    wrongInput(
        fmt::format("--emit ein would overwrite its own input '{}'; give another folder", options.file));
  std::vector<TextFile> files;
  for (const std::string &kind : wanted) {
    if (kind == "obj")
      files.push_back({base + ".o", compiled->object});
    else if (kind == "header")
      files.push_back({base + ".h", compiled->header});
    else if (kind == "json")
      files.push_back({base + ".json", compiled->json});
    else if (kind == "asm")
      files.push_back({base + ".s", compiled->assembly});
    else if (kind == "llvm")
      files.push_back({base + ".ll", compiled->llvmText});
    else if (kind == "tile")
      files.push_back({base + ".tile.mlir", compiled->tileText});
    else if (kind == "ein")
      files.push_back({base + ".ein", compiled->einText});
    else if (!compiled->object.empty())
      files.push_back({base + ".so", shared(*compiled.value)});
  }
  if (!options.stopAfter.empty()) // texts of later phases do not exist
    std::erase_if(files, [](const TextFile &file) { return file.bytes.empty(); });
  writeAll(files);
}

} // namespace

void addCompile(CLI::App &app, Action &action) {
  auto options = std::make_shared<CompileOptions>();
  CLI::App *verb = app.add_subcommand("compile", "write an object, its C header and its description");
  addOptions(*verb, *options);
  verb->add_option("-o,--output", options->folder, "the folder to write to")->required()->option_text("DIR");
  verb->add_option("--emit", options->emit, "obj,header,so,asm,llvm,tile,ein,json; default obj,header,json")
      ->option_text("KIND,..");
  verb->callback([options, &action] { action = [options] { compile(*options); }; });
}

} // namespace einfall::cli
