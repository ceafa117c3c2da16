// `gaur size`: measures one function on this machine, alone and concurrently, and recommends a number of
// slots with the expected waits.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <sstream>

#include "app/config/machine.hpp"
#include "app/config/units.hpp"
#include "app/replay/job_replay.hpp"
#include "app/replay/replay_sources.hpp"
#include "app/size/size_report.hpp"
#include "app/subcommands.hpp"
#include "base/suggest.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

struct SizeArguments {
  Arguments shared;
  std::string function, data, data_file, budget = "60s";
  std::uint32_t at_once = 100, runs = 8, last = 100;
  bool json = false;
};

SizeArguments read_size_arguments(int argc, char** argv) {
  SizeArguments arguments;
  CommandLine line(
      "size",
      "Measures the cores and memory of a function and recommends a number of slots with the expected waits",
      CommandLine::Configuration::kLayers,
      {{kExitOk, "measured, and a rerun confirmed the recommended needs"},
       {kExitProblem, "no run completed, no rerun confirmed the needs, or the configuration has problems"},
       {kExitUsage, "wrong arguments"},
       {kExitStore, "Redis cannot be reached"},
       {kExitInterrupted, "interrupted by a signal"}},
      "The function really runs. Its runners get GAUR_SHADOW=1, so that they can skip their side effects.");
  CLI::App& cli = line.options();
  cli.add_option("--function", arguments.function, "The function to measure")->required();
  cli.add_option("--data", arguments.data, "A job's data, as JSON (default: kept jobs of its queue)");
  cli.add_option("--data-file", arguments.data_file, "File with the data of one job, or of one job a line");
  line.add_number("--last", arguments.last, 1, kMostJobs, "Number of kept jobs to take data from");
  line.add_number("--at-once", arguments.at_once, 1, kMostJobs, "Number of jobs in a burst");
  line.add_number("--runs", arguments.runs, 1, kMostJobs,
                  "Minimum number of runs at each width (never below twice the width)");
  cli.add_option("--budget", arguments.budget, "Start no new measurement after this time")
      ->capture_default_str();
  cli.add_flag("--json", arguments.json, "Print JSON");
  arguments.shared = line.parse(argc, argv);
  return arguments;
}

struct Source {
  std::vector<Job> jobs;
  std::string description;
};

Job job_with(const Config& config, const std::string& function, std::string data) {
  Job job;
  job.id = JobId("1");
  job.queue = QueueName(config.functions.at(function).queue);
  job.name = function;
  job.data = std::move(data);
  return job;
}

Result<Source> given_data(const Config& config, const SizeArguments& arguments) {
  std::string text = arguments.data;
  if (!arguments.data_file.empty()) {
    std::ifstream stream(arguments.data_file);  // may be a pipe
    std::ostringstream all;
    all << stream.rdbuf();
    if (!stream || all.bad()) return Error{Errc::kIo, "cannot read " + arguments.data_file};
    text = all.str();
  }
  Source source{.jobs = {}, .description = "the given data"};
  if (const auto whole = json::parse(text)) {
    source.jobs.push_back(job_with(config, arguments.function, text));
    return source;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto one = json::parse(line);
    if (!one) return one.error().in("the given data");
    source.jobs.push_back(job_with(config, arguments.function, line));
  }
  if (source.jobs.empty()) return Error{Errc::kInvalidArgument, "the given data is empty"};
  source.description = fmt::format("{} lines of given data", source.jobs.size());
  return source;
}

Result<Source> find_data(const Loaded& loaded, const SizeArguments& arguments) {
  if (!arguments.data.empty() || !arguments.data_file.empty()) return given_data(loaded.config, arguments);
  const std::string queue = loaded.config.functions.at(arguments.function).queue;
  GAUR_TRY(const std::vector<KeptJob> kept, completed_jobs(loaded, {queue}, arguments.last));
  Source source;
  for (const KeptJob& one : kept) {
    if (function_in(loaded.config, one.job).value == arguments.function) source.jobs.push_back(one.job);
  }
  if (source.jobs.empty()) {
    return Error{Errc::kNotFound, fmt::format("queue {1} keeps no completed job of {0}; use --data JSON",
                                              arguments.function, queue)};
  }
  source.description = fmt::format("{} kept jobs of {}", source.jobs.size(), queue);
  return source;
}

/// `count` jobs, starting at `from` and repeating `jobs`.
std::vector<Job> round_robin(const std::vector<Job>& jobs, std::size_t count, std::size_t from) {
  std::vector<Job> taken;
  for (std::size_t i = 0; i < count; ++i) taken.push_back(jobs[(from + i) % jobs.size()]);
  return taken;
}

class Measurer {
 public:
  Measurer(JobReplay& replay, const Config& config, const SizeArguments& arguments, std::vector<Job> jobs,
           Duration budget)
      : replay_(replay),
        config_(config),
        arguments_(arguments),
        jobs_(std::move(jobs)),
        budget_(budget),
        until_(replay.clock().now() + budget) {}

  SizeInputs all() {
    SizeInputs inputs;
    inputs.capacity = config_.slots.capacity;
    inputs.at_once = arguments_.at_once;
    const FunctionConfig& function = config_.functions.at(arguments_.function);
    if (config_.pools.at(function.pool).duckdb) inputs.least_cores = 1;
    inputs.widths.push_back(at(1, grant(1), until_));
    if (inputs.widths.front().run_ms.empty()) return inputs;
    for (const std::uint32_t width :
         widths_to_measure(widest(inputs.capacity, inputs.widths.front(), arguments_.at_once))) {
      if (width == 1) continue;
      if (replay_.clock().now() >= until_) {
        inputs.explored_all = false;
        break;
      }
      inputs.widths.push_back(at(width, grant(width), until_));
    }
    inputs.other_cores = measured_ > 0 ? std::max(0.0, others_ / measured_) : 0;
    return inputs;
  }

  /// Each rerun has a budget of its own, however long the measuring took.
  WidthMeasure rerun(std::uint32_t width, const Grant& granted) {
    return at(width, granted, replay_.clock().now() + budget_);
  }

 private:
  WidthMeasure at(std::uint32_t width, const Grant& granted, Instant until) {
    WidthMeasure measure;
    measure.width = width;
    ReplayOptions options;
    options.at_once = width;
    options.grant = granted;
    measure.threads = options.grant->threads;
    // Warm up: runners start and files are read before the measurement.
    replay_.run(round_robin(jobs_, width, 0), options);
    const Instant begun = replay_.clock().now();
    options.until = std::max(until, begun + Duration(1));
    const double busy_before = busy_cpu_seconds();
    const std::size_t count = std::max(arguments_.runs, 2 * width);
    double ours = 0;
    for (const ReplayRun& run : replay_.run(round_robin(jobs_, count, width), options)) {
      add(measure, run);
      ours += static_cast<double>(run.usage.cpu_us) / 1e6;
    }
    measure.seconds = std::chrono::duration<double>(replay_.clock().now() - begun).count();
    others_ += busy_cpu_seconds() - busy_before - ours;
    measured_ += measure.seconds;
    return measure;
  }

  /// The grant of one of `width` runs: the configured needs, or an equal share of the capacity.
  Grant grant(std::uint32_t width) const {
    const FunctionConfig& function = config_.functions.at(arguments_.function);
    const Resources& capacity = config_.slots.capacity;
    const double cores = function.cores.value_or(std::floor(capacity.cores / width));
    const std::uint64_t memory = function.memory_bytes.value_or(capacity.memory_bytes / width);
    return {.threads = static_cast<std::uint32_t>(std::max(1.0, std::min(cores, capacity.cores))),
            .memory_bytes = std::min(memory, capacity.memory_bytes)};
  }

  static void add(WidthMeasure& measure, const ReplayRun& run) {
    if (!std::holds_alternative<run::Completed>(run.end)) {
      if (measure.failed++ == 0) measure.failure = describe_end(run.end);
      return;
    }
    measure.run_ms.push_back(static_cast<double>(run.usage.wall_us) / 1000);
    if (run.usage.wall_us > 0)
      measure.cores.push_back(static_cast<double>(run.usage.cpu_us) / static_cast<double>(run.usage.wall_us));
    if (run.usage.peak_rss_bytes > 0)
      measure.peak_bytes.push_back(static_cast<double>(run.usage.peak_rss_bytes));
  }

  JobReplay& replay_;
  const Config& config_;
  const SizeArguments& arguments_;
  std::vector<Job> jobs_;
  Duration budget_;
  Instant until_;
  /// CPU seconds used by other processes.
  double others_ = 0;
  /// Seconds.
  double measured_ = 0;
};

}  // namespace

int size_command(int argc, char** argv) {
  const SizeArguments arguments = read_size_arguments(argc, argv);
  if (arguments.shared.exit) return *arguments.shared.exit;
  const auto budget = parse_duration(arguments.budget);
  if (!budget) return exit_with_error("size", "--budget: " + budget.error().message, kExitUsage);
  const Loaded loaded = load_configuration(arguments.shared);
  if (!print_problems_of(loaded.settings, "size")) return kExitProblem;
  if (!loaded.config.functions.contains(arguments.function)) {
    std::vector<std::string> known;
    for (const auto& [name, function] : loaded.config.functions) known.push_back(name);
    return exit_with_error("size",
                           fmt::format("there is no function \"{}\"{}", arguments.function,
                                       did_you_mean(arguments.function, known)),
                           kExitUsage);
  }
  auto source = find_data(loaded, arguments);
  if (!source)
    return exit_with_error("size", source.error().message,
                           source.error().code == Errc::kDisconnected ? kExitStore : kExitProblem);
  auto replay = JobReplay::open(loaded.settings, loaded.config, Logger(stderr_log_sink(), LogLevel::kWarn));
  if (!replay) return exit_with_error("size", replay.error().message, kExitProblem);
  Measurer measurer(**replay, loaded.config, arguments, source->jobs, *budget);
  const SizeInputs inputs = measurer.all();
  const auto interrupted = [&] { return (*replay)->interrupted(); };
  const char* const kInterrupted = "interrupted: the measurement is not complete";
  if (interrupted()) return exit_with_error("size", kInterrupted, kExitInterrupted);
  if (inputs.widths.front().run_ms.empty())
    return exit_with_error(
        "size", fmt::format("no run of {} completed: {}", arguments.function, inputs.widths.front().failure),
        kExitProblem);
  SizePlan plan = plan_size(inputs);
  const auto reruns =
      rerun_plan(inputs, plan, [&](std::uint32_t width, std::uint32_t threads, std::uint64_t memory_bytes) {
        return measurer.rerun(width, {.threads = threads, .memory_bytes = memory_bytes});
      });
  if (interrupted()) return exit_with_error("size", kInterrupted, kExitInterrupted);
  const SizeReport report{arguments.function, source->description, inputs, plan, reruns};
  fmt::print("{}", arguments.json ? size_json(report) + "\n" : size_text(report));
  return report.confirmed() ? kExitOk : kExitProblem;
}

}  // namespace gaur::app
