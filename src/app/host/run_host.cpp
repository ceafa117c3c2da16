#include "app/host/run_host.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "app/config/units.hpp"
#include "app/host/access_reload.hpp"
#include "app/host/host_file.hpp"
#include "app/host/host_warnings.hpp"
#include "app/host/new_folder.hpp"
#include "app/host/open_files.hpp"
#include "app/host/options_from_config.hpp"
#include "app/host/print.hpp"
#include "app/host/signals.hpp"
#include "app/host/startup_report.hpp"
#include "app/look/gather.hpp"
#include "app/subcommands.hpp"
#include "app/version.hpp"
#include "base/json.hpp"
#include "base/process_protection.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"
#include "embedded/folder_lock.hpp"

namespace gaur::app {
namespace {

constexpr Duration kCheckFilesEvery{2'000};

/// Events from other threads for the main thread.
struct MainThreadEvents {
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

int fatal_exit(const Error& error) {
  print_to(stderr,
           "gaur: the store failed and cannot acknowledge writes any more: {}; restart gaur: it "
           "recovers from disk, or says what to do if the store is damaged\n",
           error.message);
  std::fflush(nullptr);
  // No orderly shutdown: it would wait for finishes that cannot be stored. Keepers end the runners.
  std::_Exit(kExitFatal);
}

void log_stop(const Logger& log, const StopReport& report) {
  log.info("stopped",
           {{"requeued", report.requeued}, {"abandoned", report.abandoned}, {"unsent", report.unsent}});
}

/// Stops the host: the first request starts the stop, the second ends its patience.
class HostStop {
 public:
  HostStop(Host& host, MainThreadEvents& events, const Logger& log)
      : host_(host), events_(events), log_(log) {}

  void request(Duration patience) {
    ++requests_;
    if (requests_ > 2) return;
    if (requests_ == 1) {
      log_.info("stopping: no more jobs are taken; a second signal stops at once",
                {{"stop_timeout", format_duration(patience)}});
    } else {
      log_.info("stopping at once: running jobs are requeued");
      patience = Duration(0);
    }
    host_.stop(patience).then([&events = events_](const StopReport& report) { events.set_stopped(report); });
  }
  bool requested() const { return requests_ > 0; }

 private:
  Host& host_;
  MainThreadEvents& events_;
  const Logger& log_;
  int requests_ = 0;
};

int run_until_stopped(Host& host, MainThreadEvents& events, const Loaded& loaded, const Logger& log) {
  HostStop stop(host, events, log);
  AccessReload access(host, log, loaded);
  while (true) {
    switch (events.signals.wait(kCheckFilesEvery)) {
      case Signals::Event::kStop: stop.request(loaded.config.stop_timeout); break;
      case Signals::Event::kReload: access.reload("SIGHUP"); break;
      case Signals::Event::kTimeout: access.check_files(); break;
      case Signals::Event::kNotified: break;
    }
    std::optional<Duration> leave;
    {
      const std::lock_guard lock(events.mutex);
      if (events.fatal) fatal_exit(*events.fatal);
      if (events.stopped) {
        log_stop(log, *events.stopped);
        return kExitOk;
      }
      leave = std::exchange(events.leave, std::nullopt);
    }
    if (leave && !stop.requested()) stop.request(*leave);
  }
}

}  // namespace

std::vector<ExitMeaning> host_exits() {
  return {{kExitOk, "stopped by a signal, by gaur leave or by POST /v1/host/leave"},
          {kExitProblem, "the configuration has problems, or a part such as the HTTP port cannot be opened"},
          {kExitUsage, "wrong arguments"},
          {kExitStore, "the store cannot be opened: in use, newer, damaged, unreachable or not permitted"},
          {kExitFatal, "the store failed while running; restart gaur, it recovers from disk"}};
}

int print_configuration_problems(const Settings& settings) {
  std::vector<Problem> problems = settings.problems();
  sort(problems);
  print_to(stderr, "gaur: the configuration has {} {}:\n", problems.size(),
           problems.size() == 1 ? "problem" : "problems");
  for (const Problem& problem : problems) print_to(stderr, "{}\n", to_string(problem));
  return kExitProblem;
}

int cannot_start(const Error& error) {
  print_to(stderr, "gaur: cannot start: {}\n", error.message);
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
               fmt::format("there is no queue under the prefix {}; check BULL_QUEUE_NAME. {}",
                           json::quote(config.redis->prefix), human_prefixes(prefixes))};
}

int run_host(Loaded& loaded, const RunHostOptions& options) {
  raise_open_files();
  Signals signals;
  MainThreadEvents events{.signals = signals, .mutex = {}, .fatal = {}, .stopped = {}, .leave = {}};
  const Logger log(stderr_log_sink(), loaded.config.log_level);
  if (const Status hidden = hide_process(); !hidden)
    log.warn("the host's memory is readable by its user", {{"error", hidden.error().message}});
  const Status plain = check_no_links(loaded.config.data_folder);
  if (!plain) return cannot_start(plain.error());
  const Status owned = embedded::check_folder_owner(loaded.config.data_folder);
  if (!owned) return cannot_start(owned.error());
  NewFolder data_folder(loaded.config.data_folder);  // before the host, so that it outlives it
  const Status complete = complete_configuration(loaded, options.role == Role::kSweeper, log);
  if (!complete) return cannot_start(complete.error());
  const Config& config = loaded.config;
  Host host({.settings = loaded.settings,
             .config = config,
             .role = options.role,
             .log = log,
             .on_fatal = [&events](const Error& error) { events.set_fatal(error); },
             .on_leave = [&events](Duration patience) { events.set_leave(patience); }});
  if (const Status opened = host.open(); !opened) return cannot_start(opened.error());
  if (options.startup_report) {
    const Status reported = print_startup_report(host, config, options.role);
    if (!reported) return cannot_start(reported.error());
  }
  const auto port = host.start();
  if (!port) return cannot_start(port.error());
  data_folder.keep();
  log.info("gaur started", {{"version", kVersion},
                            {"role", std::string(to_string(options.role))},
                            {"store", host.opened().description},
                            {"data", config.data_folder.string()},
                            {"slots", config.slots.text}});
  for (const std::string& warning :
       host_warnings(config, options.role == Role::kWorker, SystemClock().wall()))
    log.warn(warning);
  print_to(stdout, "listening on {}\n", listening_url(config, *port));
  if (!config.port_file.empty()) {
    const Status written = write_file(config.port_file, fmt::format("{}\n", *port), 0644);
    if (!written) log.error("port file not written", {{"error", written.error().message}});
  }
  return run_until_stopped(host, events, loaded, log);
}

}  // namespace gaur::app
