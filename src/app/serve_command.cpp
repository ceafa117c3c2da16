// `gaur serve`: the server. One TERM or INT quiets it and waits for what runs, a second one stops it at once.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "app/arguments.hpp"
#include "app/host.hpp"
#include "app/part_options.hpp"
#include "app/signals.hpp"
#include "app/subcommands.hpp"
#include "app/units.hpp"
#include "app/version.hpp"

namespace gaur::app {
namespace {

/// What other threads have to tell the main thread.
struct News {
  Signals& signals;
  std::mutex mutex;
  std::optional<Error> fatal;
  std::optional<StopReport> stopped;

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

int print_problems(Settings& settings) {
  std::vector<Problem> problems = settings.problems();
  sort(problems);
  fmt::print(stderr, "gaur: the configuration has {} {}:\n", problems.size(),
             problems.size() == 1 ? "problem" : "problems");
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", to_string(problem));
  return kExitProblem;
}

int cannot_start(const Error& error) {
  fmt::print(stderr, "gaur: cannot start: {}\n", error.message);
  const bool store = error.code == Errc::kNewerFormat || error.code == Errc::kCorrupt ||
                     error.code == Errc::kIo || error.code == Errc::kBusy;
  return store ? kExitStore : kExitProblem;
}

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
           {{"given_back", report.given_back}, {"abandoned", report.abandoned}, {"unsent", report.unsent}});
}

/// Until the host has stopped. The first signal begins the stop, the second ends its patience.
int run(Host& host, News& news, const Config& config, const Logger& log) {
  int asked = 0;
  while (true) {
    if (news.signals.wait() == Signals::News::kStop) {
      ++asked;
      if (asked == 1) {
        log.info("stopping: no more jobs are taken; once more stops at once",
                 {{"stop_timeout", format_duration(config.stop_timeout)}});
        host.stop(config.stop_timeout).then([&news](const StopReport& report) { news.set_stopped(report); });
      } else if (asked == 2) {
        log.info("stopping at once: what runs goes back to its queue");
        host.stop(Duration(0)).then([&news](const StopReport& report) { news.set_stopped(report); });
      }
    }
    const std::lock_guard lock(news.mutex);
    if (news.fatal) fatal_exit(*news.fatal);
    if (news.stopped) {
      log_stop(log, *news.stopped);
      return kExitOk;
    }
  }
}

}  // namespace

int serve_command(int argc, char** argv) {
  const Arguments arguments = read_arguments(
      argc, argv, "Runs the server",
      {{"--port-file", "server.port_file", "File into which the port is written once it is bound"},
       {"--slots", "machine.slots", "Runs side by side; 0: a producer only"},
       {"--data", "server.data", "Folder for result files and the host's lock (Redis stores)"}});
  if (arguments.exit) return *arguments.exit;
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_problems(loaded.settings);
  const Config& config = loaded.config;
  Signals signals;
  News news{.signals = signals, .mutex = {}, .fatal = {}, .stopped = {}};
  const Logger log(stderr_log_sink(), config.log_level);
  Host host(
      {.settings = loaded.settings, .config = config, .log = log, .on_fatal = [&news](const Error& error) {
         news.set_fatal(error);
       }});
  const auto port = host.open();
  if (!port) return cannot_start(port.error());
  log.info("gaur is up",
           {{"version", kVersion}, {"data", config.data_folder.string()}, {"slots", config.slots.text}});
  fmt::print("listening on {}\n", url_of(config.listen, *port));
  std::fflush(stdout);
  if (!config.port_file.empty()) {
    const Status written = write_file(config.port_file, fmt::format("{}\n", *port));
    if (!written) log.error("port file", {{"error", written.error().message}});
  }
  return run(host, news, config, log);
}

}  // namespace gaur::app
