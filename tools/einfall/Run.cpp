//===- Run.cpp - run: one call of a cascade, inputs and outputs as files ---------===//
#include "compiler/driver/Npy.h"
#include "tools/einfall/Command.h"
#include "tools/einfall/Inputs.h"
#include <fmt/format.h>
#include <set>

namespace einfall::cli {

namespace {

struct RunOptions : Options {
  std::vector<std::string> in, out;
  std::string engine = "cpu";
  uint64_t seed = 0;
  bool checked = false;
};

struct Target {
  ein::TensorId tensor;
  std::string path;
};

std::vector<Target> targets(const ein::Cascade &cascade, const std::vector<std::string> &specs) {
  std::vector<Target> result;
  std::set<std::string> paths;
  for (const Pair &spec : splitPairs("--out", specs)) {
    ein::TensorId tensor = cascade.tensorNamed(spec.name);
    if (tensor < 0 || cascade.tensors[tensor].role != ein::Role::Output) {
      std::vector<std::string> names;
      for (const ein::Tensor &t : cascade.tensors)
        if (t.role == ein::Role::Output)
          names.push_back(t.name);
      wrongInput(fmt::format("'{}' is no output of '{}'; it has {}", spec.name, cascade.name, listed(names)),
                 "ein-c1");
    }
    if (!paths.insert(spec.value).second)
      wrongUse(fmt::format("--out {}={}: two outputs for one file", spec.name, spec.value));
    result.push_back({tensor, spec.value});
  }
  return result;
}

void interpret(const RunOptions &options, const ein::Cascade &cascade, Call &call,
               const std::vector<Target> &wanted, std::vector<driver::Npy> &files) {
  Progress progress(options, "evaluating with the reference interpreter");
  ein::Environment environment = call.environment();
  environment.checked = options.checked;
  std::string error;
  if (!ein::evaluate(cascade, environment, error))
    wrongInput(error, "ein-c1");
  for (const Target &target : wanted)
    files.push_back(driver::fromArray(*environment.tensors[target.tensor]));
}

void execute(const RunOptions &options, const ein::Cascade &cascade, Call &call,
             const std::vector<Target> &wanted, std::vector<driver::Npy> &files) {
  std::unique_ptr<driver::Kernel> kernel;
  {
    Progress progress(options, "compiling");
    auto compiled = driver::compile(cascade, options.driver());
    if (!compiled)
      stop(compiled.failure);
    if (!options.stopAfter.empty())
      wrongUse("--stop-after ends the compiler before there is a kernel: use einfall compile");
    auto loaded = driver::load(*compiled.value);
    if (!loaded)
      stop(loaded.failure);
    kernel = std::move(loaded.value);
  }
  Progress progress(options, "running");
  std::vector<driver::Bytes> outputs;
  std::vector<einfall_argument> arguments = call.arguments(outputs);
  einfall_pool *pool = einfall_pool_create(options.threadCount());
  char error[1024] = "";
  einfall_status status = pool
                              ? einfall_run(kernel->description(), arguments.data(),
                                            static_cast<int32_t>(arguments.size()), pool, error, sizeof error)
                              : EINFALL_OUT_OF_MEMORY;
  if (pool)
    einfall_pool_destroy(pool);
  if (status == EINFALL_INTERNAL)
    throw Stop{Defect, error};
  if (status != EINFALL_OK)
    wrongInput(*error ? error : "out of memory", "ein-c1");
  for (const Target &target : wanted)
    for (size_t i = 0; i < call.outputs().size(); ++i)
      if (call.outputs()[i] == target.tensor)
        files.push_back(driver::fromBytes(cascade.tensors[target.tensor].type, call.shapeOf(target.tensor),
                                          std::move(outputs[i])));
}

void run(const RunOptions &options) {
  if (options.engine == "cuda")
    wrongUse("--engine cuda: this version has the engines cpu and interp");
  options.driver();
  options.threadCount();
  ein::Cascade cascade = loadCascade(options);
  std::vector<Target> wanted = targets(cascade, options.out);
  driver::Description description(cascade);
  Call call(cascade, description);
  call.add(options.in, options.seed);
  call.bind();
  std::vector<driver::Npy> files;
  if (options.engine == "interp")
    interpret(options, cascade, call, wanted, files);
  else
    execute(options, cascade, call, wanted, files);
  driver::NpyWriter writer;
  std::string error;
  for (size_t i = 0; i < wanted.size(); ++i)
    if (!writer.stage(wanted[i].path, files[i], error))
      wrongInput(error);
  if (!writer.commit(error))
    wrongInput(error);
}

} // namespace

void addRun(CLI::App &app, Action &action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App *verb = app.add_subcommand("run", "run a cascade once");
  addOptions(*verb, *options);
  addList(*verb, "--in", options->in, "file.npy, a number, @normal, @uniform, @zeros, @arange")
      ->option_text("NAME=SOURCE ...");
  addList(*verb, "--out", options->out, "where to write an output")->option_text("NAME=FILE.npy ...");
  verb->add_option("--engine", options->engine, "cpu: compiled; interp: the float64 reference")
      ->check(CLI::IsMember({"cpu", "interp", "cuda"}))
      ->option_text("cpu|interp");
  verb->add_option("--seed", options->seed, "of generated inputs")->option_text("N");
  verb->add_flag("--checked", options->checked, "interp: an index outside its rank is an error (ein-c2)");
  verb->callback([options, &action] { action = [options] { run(*options); }; });
}

} // namespace einfall::cli
