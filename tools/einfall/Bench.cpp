//===- Bench.cpp - bench: how fast a cascade runs, against this machine's peak ----===//
#include "compiler/driver/Count.h"
#include "tools/einfall/Command.h"
#include "tools/einfall/Inputs.h"
#include "tools/einfall/Probe.h"
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace einfall::cli {

namespace {

struct BenchOptions : Options {
  std::vector<std::string> in;
  uint64_t seed = 0;
  bool json = false;
  double seconds = 1;
};

struct Pool {
  einfall_pool *pool;
  explicit Pool(int threads) : pool(einfall_pool_create(threads)) {
    if (!pool)
      wrongInput("out of memory");
  }
  ~Pool() { einfall_pool_destroy(pool); }
};

struct Timing {
  std::vector<double> seconds;
  double median() const { return seconds[seconds.size() / 2]; }
};

/// Runs and probes in turn, until there are 25 runs or the time is spent.
Timing measure(const BenchOptions &options, const driver::Kernel &kernel,
               std::vector<einfall_argument> &arguments, einfall_pool *pool, Probe &probe) {
  auto once = [&] {
    char error[1024] = "";
    double start = now();
    einfall_status status = einfall_run(kernel.description(), arguments.data(),
                                        static_cast<int32_t>(arguments.size()), pool, error, sizeof error);
    double seconds = now() - start;
    if (status == EINFALL_INTERNAL)
      throw Stop{Defect, error};
    if (status != EINFALL_OK)
      wrongInput(*error ? error : "out of memory", "ein-c1");
    return seconds;
  };
  double begin = now();
  once(); // pages of the outputs, caches
  Timing timing;
  while (timing.seconds.size() < 3 || (timing.seconds.size() < 25 && now() - begin < options.seconds)) {
    probe.arithmeticBurst();
    timing.seconds.push_back(once());
    if (timing.seconds.size() <= 3)
      probe.readBurst();
  }
  std::sort(timing.seconds.begin(), timing.seconds.end());
  return timing;
}

Probe::Arithmetic arithmeticOf(const ein::Cascade &cascade) {
  bool bf16 = false;
  for (const ein::Tensor &tensor : cascade.tensors) {
    if (tensor.role == ein::Role::Input && tensor.type == ein::Type::F64)
      return Probe::Arithmetic::F64;
    bf16 |= tensor.role == ein::Role::Input && tensor.type == ein::Type::BF16;
  }
  return bf16 ? Probe::Arithmetic::BF16 : Probe::Arithmetic::F32;
}

/// Extents, scalars, and the tables that conditions read (within reason).
driver::WorkCount work(const ein::Cascade &cascade, const Call &call) {
  ein::Environment environment = call.environment(driver::tablesOf(cascade), int64_t(1) << 24);
  return driver::countWork(cascade, environment);
}

std::string scaled(double value, const char *unit) {
  const char *prefixes[] = {"", "k", "M", "G", "T", "P"};
  int p = 0;
  for (; value >= 1000 && p < 5; ++p)
    value /= 1000;
  return fmt::format("{:.3g} {}{}", value, prefixes[p], unit);
}

void bench(const BenchOptions &options) {
  driver::Options driverOptions = options.driver();
  double start = now();
  ein::Cascade cascade = loadCascade(options);
  auto compiled = driver::compile(cascade, driverOptions);
  if (!compiled)
    stop(compiled.failure);
  auto kernel = driver::load(*compiled.value);
  if (!kernel)
    stop(kernel.failure);
  double compileSeconds = now() - start;

  Progress progress(options, "measuring");
  driver::Description description(cascade);
  Call call(cascade, description);
  call.add(options.in, options.seed, /*fill=*/true);
  call.bind();
  std::vector<driver::Bytes> outputs;
  std::vector<einfall_argument> arguments = call.arguments(outputs);
  size_t bytes = call.inputBytes();
  for (const driver::Bytes &output : outputs)
    bytes += output.size();
  Pool pool(options.threadCount());
  Probe probe(pool.pool, arithmeticOf(cascade));
  Timing timing = measure(options, *kernel.value, arguments, pool.pool, probe);
  driver::WorkCount count = work(cascade, call);

  double seconds = timing.median();
  nlohmann::ordered_json json;
  json["cascade"] = cascade.name;
  json["entry"] = cascade.name;
  json["target"] = options.target;
  json["threads"] = einfall_pool_threads(pool.pool);
  json["ranks"] = nlohmann::ordered_json::object();
  std::string ranks;
  for (size_t r = 0; r < cascade.ranks.size(); ++r) {
    json["ranks"][cascade.ranks[r].name] = call.extentOf(static_cast<ein::RankId>(r));
    ranks += fmt::format("{}{} = {}", r ? ", " : "", cascade.ranks[r].name,
                         call.extentOf(static_cast<ein::RankId>(r)));
  }
  json["compile_seconds"] = compileSeconds;
  json["seconds"] = {{"median", seconds}, {"min", timing.seconds.front()}, {"runs", timing.seconds.size()}};
  json["flops"] = count.flops;
  json["flops_sampled"] = count.sampled;
  json["flops_estimated"] = count.estimated;
  // Kernels keep no counters: what masked tiles cost beyond the existing points is not known here.
  json["executed_flops"] = nullptr;
  json["peak_flops"] = probe.flops();
  json["peak_instruction"] = probe.instruction();
  json["share_of_peak"] = count.flops / seconds / probe.flops();
  json["bytes"] = bytes;
  json["read_bandwidth"] = probe.bytes();
  json["share_of_bandwidth"] = static_cast<double>(bytes) / seconds / probe.bytes();
  json["tiles"] = nullptr;
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return;
  }
  fmt::print("{}: {}\n"
             "  compile    {:.3f} s, text to callable\n"
             "  run        {:.6f} s, median of {} on {} threads; fastest {:.6f} s\n"
             "  work       {} on existing points{}: {}, {:.1f} % of {} ({})\n"
             "  traffic    {} of inputs and outputs: {}, {:.1f} % of {} read bandwidth\n",
             cascade.name, ranks, compileSeconds, seconds, timing.seconds.size(),
             einfall_pool_threads(pool.pool), timing.seconds.front(), scaled(count.flops, "flop"),
             count.estimated ? " (an upper bound: a selection was not evaluated)"
             : count.sampled ? " (sampled)"
                             : "",
             scaled(count.flops / seconds, "flop/s"), 100 * count.flops / seconds / probe.flops(),
             scaled(probe.flops(), "flop/s"), probe.instruction(), scaled(static_cast<double>(bytes), "B"),
             scaled(static_cast<double>(bytes) / seconds, "B/s"),
             100 * static_cast<double>(bytes) / seconds / probe.bytes(), scaled(probe.bytes(), "B/s"));
}

} // namespace

void addBench(CLI::App &app, Action &action) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App *verb = app.add_subcommand("bench", "time, share of measured peak, bytes");
  addOptions(*verb, *options);
  addList(*verb, "--in", options->in, "as of run; inputs not named are @normal")
      ->option_text("NAME=SOURCE ...");
  verb->add_option("--seed", options->seed, "of generated inputs")->option_text("N");
  verb->add_option("--seconds", options->seconds, "time for the runs, default 1")->option_text("S");
  verb->add_flag("--json", options->json, "for programs");
  verb->callback([options, &action] { action = [options] { bench(*options); }; });
}

} // namespace einfall::cli
