#include "app/host/run_host.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "app/config/units.hpp"
#include "app/host/host_file.hpp"
#include "app/host/host_warnings.hpp"
#include "app/host/new_folder.hpp"
#include "app/host/options_from_config.hpp"
#include "app/host/signals.hpp"
#include "app/host/startup_report.hpp"
#include "app/look/gather.hpp"
#include "app/subcommands.hpp"
#include "app/version.hpp"
#include "base/json.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

/// What other threads have to tell the main thread.
struct News {
  Signals& signals;
  std::mutex mutex;
  std::optional<Error> fatal;
  std::optional<StopReport> stopped;
  std::optional<Duration> leave;

  void set_leave(Duration patience) {
    const std::lock_guard lock(mutex);
    leave = patience;
    signals.notify();
  }
  void set_fatal(const Error& error) {
    const std::lock_guard lock(mutex);
    fatal = error;
    signals.notify();
  }
  void set_stopped(const StopReport& report) {
    const std::lock_guard lock(mutex);
    stopped = report;
    signals.notify();
  }
};

std::string url_of(const std::string& listen, std::uint16_t port) {
  return fmt::format("http://{}:{}", listen.substr(0, listen.rfind(':')), port);
}

int fatal_exit(const Error& error) {
  fmt::print(stderr,
             "gaur: the store failed and nothing more can be acknowledged: {}; start gaur again, it recovers "
             "from disk\n",
             error.message);
  std::fflush(nullptr);
  std::_Exit(
      kExitFatal);  // Tearing down would wait for finishes that can never be stored; keepers end the runners.
}

void log_stop(const Logger& log, const StopReport& report) {
  log.info("stopped",
           {{"requeued", report.requeued}, {"abandoned", report.abandoned}, {"unsent", report.unsent}});
}

/// The way to the end: the first signal begins it, the second ends its patience.
class Stopping {
 public:
  Stopping(Host& host, News& news, const Logger& log) : host_(host), news_(news), log_(log) {}

  void ask(Duration patience) {
    ++asked_;
    if (asked_ > 2) return;
    if (asked_ == 1) {
      log_.info("stopping: no more jobs are taken; once more stops at once",
                {{"stop_timeout", format_duration(patience)}});
    } else {
      log_.info("stopping at once: what runs goes back to its queue");
      patience = Duration(0);
    }
    host_.stop(patience).then([&news = news_](const StopReport& report) { news.set_stopped(report); });
  }
  bool begun() const { return asked_ > 0; }

 private:
  Host& host_;
  News& news_;
  const Logger& log_;
  int asked_ = 0;
};

int run(Host& host, News& news, const Config& config, const Logger& log) {
  Stopping stopping(host, news, log);
  while (true) {
    if (news.signals.wait() == Signals::News::kStop) stopping.ask(config.stop_timeout);
    std::optional<Duration> leave;
    {
      const std::lock_guard lock(news.mutex);
      if (news.fatal) fatal_exit(*news.fatal);
      if (news.stopped) {
        log_stop(log, *news.stopped);
        return kExitOk;
      }
      leave = std::exchange(news.leave, std::nullopt);
    }
    if (leave && !stopping.begun()) stopping.ask(*leave);
  }
}

}  // namespace

std::vector<ExitMeaning> host_exits() {
  return {{kExitOk, "stopped by a signal, by gaur leave or by POST /v1/host/leave"},
          {kExitProblem, "the configuration has problems, or a part such as the HTTP port cannot be opened"},
          {kExitUsage, "wrong arguments"},
          {kExitStore, "the store cannot be opened: in use, newer, damaged, unreachable or not permitted"},
          {kExitFatal, "the store failed while running; start again, it recovers from disk"}};
}

int print_configuration_problems(const Settings& settings) {
  std::vector<Problem> problems = settings.problems();
  sort(problems);
  fmt::print(stderr, "gaur: the configuration has {} {}:\n", problems.size(),
             problems.size() == 1 ? "problem" : "problems");
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
  return kExitProblem;
}

int cannot_start(const Error& error) {
  fmt::print(stderr, "gaur: cannot start: {}\n", error.message);
  return is_store_error(error.code) ? kExitStore : kExitProblem;
}

Status complete_configuration(Loaded& loaded, bool discover_queues, const Logger& log) {
  Config& config = loaded.config;
  if (!config.redis) return ok();
  if (!loaded.settings.is_set({"worker", "name"})) {
    GAUR_TRY(config.worker_name, worker_name_of(config, config.host));
  }
  if (!discover_queues || !config.queues.empty()) return ok();
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop("gaur-look");
  GAUR_TRY(OpenedStore opened,
           open_store({.config = config, .env = Env{clock, random, loop}, .log = log, .on_fatal = {}}));
  GAUR_TRY(const bull::Inspector::Found found, opened.inspector->queues().get());
  for (const QueueName& queue : found.queues) config.queues[queue.value].backfill = false;
  if (!config.queues.empty()) return ok();
  GAUR_TRY(const bull::PrefixesFound prefixes, opened.inspector->prefixes().get());
  return Error{Errc::kNotFound,
               fmt::format("there is no queue under the prefix {}: is it the right one (BULL_QUEUE_NAME)? {}",
                           json::quote(config.redis->prefix), human_prefixes(prefixes))};
}

int run_host(Loaded& loaded, const RunHostOptions& options) {
  Signals signals;
  News news{.signals = signals, .mutex = {}, .fatal = {}, .stopped = {}, .leave = {}};
  const Logger log(stderr_log_sink(), loaded.config.log_level);
  NewFolder data_folder(loaded.config.data_folder);  // before the host: it outlives all that uses the folder
  const Status complete = complete_configuration(loaded, options.role == Role::kSweeper, log);
  if (!complete) return cannot_start(complete.error());
  const Config& config = loaded.config;
  Host host({.settings = loaded.settings,
             .config = config,
             .role = options.role,
             .log = log,
             .on_fatal = [&news](const Error& error) { news.set_fatal(error); },
             .on_leave = [&news](Duration patience) { news.set_leave(patience); }});
  if (const Status opened = host.open(); !opened) return cannot_start(opened.error());
  if (options.startup_report) {
    const Status surveyed = print_startup_report(host, config, options.role);
    if (!surveyed) return cannot_start(surveyed.error());
  }
  const auto port = host.start();
  if (!port) return cannot_start(port.error());
  data_folder.keep();
  log.info("gaur is up", {{"version", kVersion},
                          {"role", std::string(to_string(options.role))},
                          {"store", host.opened().what},
                          {"data", config.data_folder.string()},
                          {"slots", config.slots.text}});
  for (const std::string& warning : host_warnings(config, options.role == Role::kWorker)) log.warn(warning);
  fmt::print("listening on {}\n", url_of(config.listen, *port));
  std::fflush(stdout);
  if (!config.port_file.empty()) {
    const Status written = write_file(config.port_file, fmt::format("{}\n", *port));
    if (!written) log.error("port file", {{"error", written.error().message}});
  }
  return run(host, news, config, log);
}

}  // namespace gaur::app
