// `gaur leave`: the running host finishes or gives back, then the queues are healed and verified from the
// store alone, so that other workers can be started.
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/commands/arguments.hpp"
#include "app/config/units.hpp"
#include "app/host/leaving.hpp"
#include "app/host/new_folder.hpp"
#include "app/host/run_host.hpp"
#include "app/host/running_host.hpp"
#include "app/subcommands.hpp"
#include "base/system_env.hpp"

namespace gaur::app {
namespace {

constexpr Duration kGraceOfTheEnd{
    20'000};  // after the patience: runs are stopped, finishes flushed, parts closed

int fail(const std::string& why, int code = kExitProblem) {
  fmt::print("not safe: {}\n", why);
  return code;
}

/// Whether the process has ended, waited for up to `at_most`.
bool has_ended(std::int64_t pid, Duration at_most) {
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
  if (!process) return errno == ESRCH;
  pollfd end{process.get(), POLLIN, 0};
  int got = 0;
  do {
    got = poll(&end, 1, static_cast<int>(at_most.count()));
  } while (got < 0 && errno == EINTR);
  return got > 0;
}

/// Asks the host that runs to leave and waits for its end. Nothing: there was none, or it has gone.
std::optional<std::string> end_running_host(const Config& config, Duration patience) {
  const auto host = find_running_host(config);
  if (!host) return host.error().message;
  if (!*host) {
    fmt::print("no host runs on {}\n", config.data_folder.string());
    return std::nullopt;
  }
  const HostFile& file = (*host)->file();
  const auto status = (*host)->ask("POST", fmt::format("/v1/host/leave?patience={}ms", patience.count()));
  if (!status) return status.error().message;
  const json::Value* runs = status->if_contains("runs");
  fmt::print("host {} (pid {}) takes no more jobs; {} running have {} to end\n", file.name, file.pid,
             runs != nullptr && runs->is_array() ? runs->as_array().size() : 0, format_duration(patience));
  std::fflush(stdout);
  if (has_ended(file.pid, patience + kGraceOfTheEnd)) return std::nullopt;
  return fmt::format("the host (pid {}) still runs {} after its patience was over", file.pid,
                     format_duration(kGraceOfTheEnd));
}

std::optional<Delayed> read_delayed(const std::string& text) {
  if (text.empty() || text == "list") return Delayed::kList;
  if (text == "promote") return Delayed::kPromote;
  if (text == "keep") return Delayed::kKeep;
  return std::nullopt;
}

int heal_and_verify(Loaded& loaded, Delayed delayed) {
  const Logger log(stderr_log_sink(), LogLevel::kError);
  const Config& config = loaded.config;
  const NewFolder folder(config.data_folder);  // a folder that was not there is not left behind
  // Held to the end: nobody carries the host's name while its jobs are given back.
  const auto lock = lock_data_folder(config.data_folder);
  if (!lock) return fail(lock.error().message);
  if (const Status complete = complete_configuration(loaded, true, log); !complete) {
    const bool store = is_store_error(complete.error().code);
    return fail(complete.error().message, store ? kExitStore : kExitProblem);
  }
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop("gaur-leave");
  auto opened = open_store({.config = config, .env = Env{clock, random, loop}, .log = log, .on_fatal = {}});
  if (!opened) return fail(opened.error().message, kExitStore);
  bool safe = true;
  for (const auto& [name, queue] : config.queues) {
    const QueueName queue_name(name);
    if (const Status usable = check_queue_dialect(*opened, queue_name); !usable) {
      safe = false;
      fmt::print("queue {}:\n  ! {}\n", name, usable.error().message);
      continue;
    }
    const auto notes = leave_queue(*opened, queue_name, LaneName(config.worker_name + "/" + name), delayed);
    if (!notes) return fail(notes.error().message, kExitStore);
    fmt::print("queue {}:\n", name);
    for (const LeaveNote& note : *notes) {
      safe = safe && !note.unsafe;
      fmt::print("  {} {}\n", note.unsafe ? "!" : "-", note.line);
    }
  }
  fmt::print("{}\n", safe ? "nothing active belongs to this host: safe to start pm2"
                          : "not safe yet: see the lines marked with !");
  return safe ? kExitOk : kExitProblem;
}

}  // namespace

int leave_command(int argc, char** argv) {
  std::string data;
  std::string patience_text;
  std::string delayed_text;
  const Arguments arguments = read_arguments(
      argc, argv,
      "Stops the running host so that other workers can take over, heals what it leaves, verifies",
      {{kExitOk, "safe to start other workers"},
       {kExitProblem, "not safe yet, or the configuration has problems"},
       {kExitUsage, "wrong arguments"},
       {kExitStore, "the store cannot be opened or did not answer"}},
      {{"--data", nullptr, "Its data folder (default: that of the configuration)", &data},
       {"--patience", nullptr, "How long running jobs may go on (default: server.stop_timeout)",
        &patience_text},
       {"--delayed", nullptr,
        "Delayed jobs, which bare workers never wake: list (then it is not safe), promote (they wait now), "
        "keep",
        &delayed_text}});
  if (arguments.exit) return *arguments.exit;
  const auto delayed = read_delayed(delayed_text);
  const auto patience =
      patience_text.empty() ? Result<Duration>(Duration(-1)) : parse_duration(patience_text);
  if (!delayed) return refuse("leave", "--delayed takes list, promote or keep", kExitUsage);
  if (!patience) return refuse("leave", "--patience: " + patience.error().message, kExitUsage);
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  if (!data.empty()) loaded.config.data_folder = std::filesystem::absolute(data).lexically_normal();
  if (!loaded.config.redis)
    return refuse("leave", "an embedded store has no other workers; end its host with TERM", kExitProblem);
  const auto still =
      end_running_host(loaded.config, patience->count() < 0 ? loaded.config.stop_timeout : *patience);
  if (still) return fail(*still);
  return heal_and_verify(loaded, *delayed);
}

}  // namespace gaur::app
