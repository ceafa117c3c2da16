// `gaur shadow`: runs kept jobs of a queue here and compares the results with the stored ones. Takes no job
// and writes nothing to Redis.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/replay/job_replay.hpp"
#include "app/replay/replay_sources.hpp"
#include "app/shadow/shadow_report.hpp"
#include "app/subcommands.hpp"
#include "core/result_json.hpp"

namespace gaur::app {
namespace {

struct ShadowArguments {
  Arguments shared;
  std::string function;
  std::vector<std::string> queues, allow;
  std::uint32_t last = 100, at_once = 1;
  bool json = false;
  std::set<DifferenceKind> allowed;
};

ShadowArguments read_shadow_arguments(int argc, char** argv) {
  ShadowArguments arguments;
  CommandLine line(
      "shadow",
      "Runs kept jobs here and compares results, CPU and memory; takes no job and writes nothing to Redis",
      CommandLine::Configuration::kLayers,
      {{kExitOk, "every result was the same, or differed only in what --allow names"},
       {kExitProblem, "results differed, a run failed, or the configuration has problems"},
       {kExitUsage, "wrong arguments, or no Redis store is configured"},
       {kExitStore, "Redis cannot be reached"},
       {kExitInterrupted, "interrupted by a signal"}},
      "Kinds: order, time-zone, time-format, float, type, null, missing-key, new-key, length, shape, value.\n"
      "The functions really run. Their runners get GAUR_SHADOW=1, so that they can skip their side effects.");
  CLI::App& cli = line.options();
  cli.add_option("--queue", arguments.queues, "Only this queue; may be repeated")->allow_extra_args(false);
  cli.add_option("--function", arguments.function, "Only this function");
  line.add_number("--last", arguments.last, 1, kMostJobs, "Number of newest completed jobs of each queue");
  line.add_number("--at-once", arguments.at_once, 1, kMostJobs, "Number of concurrent runs");
  cli.add_option("--allow", arguments.allow, "Kinds of differences to accept, comma-separated")
      ->delimiter(',')
      ->allow_extra_args(false);
  cli.add_flag("--json", arguments.json, "Print JSON");
  arguments.shared = line.parse(argc, argv);
  if (arguments.shared.exit) return arguments;
  for (const std::string& kind : arguments.allow) {
    const auto read = parse_difference(kind);
    if (read) arguments.allowed.insert(*read);
    if (!read)
      arguments.shared.exit = exit_with_error(
          "shadow", fmt::format("\"{}\" is not a kind of difference; --help lists them", kind), kExitUsage);
  }
  return arguments;
}

void compare_results(ShadowRun& shadow, const std::string& was, const std::string& is) {
  const auto expected = json::parse(was.empty() ? "null" : was);
  const auto actual = json::parse(is);
  if (!expected) {
    shadow.problem = "its stored result is not JSON: " + expected.error().message;
  } else if (!actual) {
    shadow.problem = "its new result is not JSON: " + actual.error().message;
  } else {
    shadow.comparison = compare_json(*expected, *actual);
  }
}

ShadowRun compare_run(const Config& config, const Job& job, const ReplayRun& run) {
  ShadowRun shadow;
  shadow.id = job.id.value;
  shadow.function = function_in(config, job).value;
  if (job.processed_on && job.finished_on)
    shadow.then_ms = static_cast<double>((*job.finished_on - *job.processed_on).count());
  shadow.now_ms = static_cast<double>(run.usage.wall_us) / 1000;
  shadow.cpu_ms = static_cast<double>(run.usage.cpu_us) / 1000;
  shadow.peak_bytes = run.usage.peak_rss_bytes;
  shadow.threads = configured_grant(config, shadow.function).threads;
  if (const auto* completed = std::get_if<run::Completed>(&run.end)) {
    compare_results(shadow, result_json(job), result_json(completed->result, completed->file));
  } else {
    shadow.problem = describe_end(run.end);
  }
  return shadow;
}

/// Progress lines on stderr: the start, at most one every two seconds as jobs end, and the last.
class Progress {
 public:
  Progress(Clock& clock, const std::vector<Job>& jobs) : clock_(clock), jobs_(jobs), begun_(clock.now()) {}

  void begin(std::uint32_t at_once) {
    fmt::print(stderr, "running {} {}, {} at once\n", jobs_.size(), jobs_.size() == 1 ? "job" : "jobs",
               at_once);
  }
  void ended(const ReplayRun& run) {
    ++done_;
    const Instant now = clock_.now();
    if (done_ < jobs_.size() && printed_ && now - *printed_ < Duration(2'000)) return;
    printed_ = now;
    const double seconds =
        static_cast<double>(std::chrono::duration_cast<Duration>(now - begun_).count()) / 1000;
    fmt::print(stderr, "{} of {} done after {:.1f} s (job {}: {:.1f} s)\n", done_, jobs_.size(), seconds,
               jobs_[run.job].id.value, static_cast<double>(run.usage.wall_us) / 1e6);
  }

 private:
  Clock& clock_;
  const std::vector<Job>& jobs_;
  const Instant begun_;
  std::optional<Instant> printed_;
  std::size_t done_ = 0;
};

/// The jobs whose function is configured here; the others are counted in `report.skipped`.
std::vector<Job> select_jobs(const Config& config, const std::vector<KeptJob>& kept, const std::string& only,
                             ShadowReport& report) {
  std::vector<Job> jobs;
  for (const KeptJob& one : kept) {
    const std::string function = function_in(config, one.job).value;
    if (!only.empty() && function != only) continue;
    if (config.functions.contains(function)) {
      jobs.push_back(one.job);
    } else {
      report.skipped[function] += 1;
    }
  }
  return jobs;
}

}  // namespace

int shadow_command(int argc, char** argv) {
  const ShadowArguments arguments = read_shadow_arguments(argc, argv);
  if (arguments.shared.exit) return *arguments.shared.exit;
  const Loaded loaded = load_configuration(arguments.shared);
  if (!print_problems_of(loaded.settings, "shadow")) return kExitProblem;
  const auto kept = completed_jobs(loaded, arguments.queues, arguments.last);
  if (!kept)
    return exit_with_error("shadow", kept.error().message,
                           kept.error().code == Errc::kUnsupported ? kExitUsage : kExitStore);
  ShadowReport report;
  report.allowed = arguments.allowed;
  const std::vector<Job> jobs = select_jobs(loaded.config, *kept, arguments.function, report);
  if (!jobs.empty()) {
    auto replay = JobReplay::open(loaded.settings, loaded.config, Logger(stderr_log_sink(), LogLevel::kWarn));
    if (!replay) return exit_with_error("shadow", replay.error().message, kExitProblem);
    ReplayOptions options;
    options.at_once = arguments.at_once;
    Progress progress((*replay)->clock(), jobs);
    options.on_end = [&](const ReplayRun& run) { progress.ended(run); };
    progress.begin(options.at_once);
    for (const ReplayRun& run : (*replay)->run(jobs, options))
      report.runs.push_back(compare_run(loaded.config, jobs[run.job], run));
    if ((*replay)->interrupted())
      return exit_with_error("shadow", "interrupted: the comparison is not complete", kExitInterrupted);
  }
  fmt::print("{}", arguments.json ? shadow_json(report) + "\n" : shadow_text(report));
  return report.acceptable() ? kExitOk : kExitProblem;
}

}  // namespace gaur::app
