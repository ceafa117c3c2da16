// `gaur leave`: stops the running host, which finishes or requeues its jobs, and then recovers and verifies
// the queues through the store, so that other workers can be started.
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/commands/arguments.hpp"
#include "app/config/units.hpp"
#include "app/host/host_file.hpp"
#include "app/host/leave_queue.hpp"
#include "app/host/new_folder.hpp"
#include "app/host/other_hosts.hpp"
#include "app/host/redis_access.hpp"
#include "app/host/run_host.hpp"
#include "app/host/running_host.hpp"
#include "app/subcommands.hpp"
#include "base/system_env.hpp"
#include "core/session_name.hpp"
#include "http/paths.hpp"

namespace gaur::app {
namespace {

/// After the patience: time to stop runs, send finishes and close the store.
constexpr Duration kShutdownGrace{20'000};

int fail(const std::string& why, int code = kExitProblem) {
  fmt::print("not safe: {}\n", why);
  return code;
}

/// Waits up to `at_most` for the process; returns whether it has ended.
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

struct EndedHost {
  /// 0: no host ran on the data folder.
  std::int64_t pid = 0;
  std::optional<std::string> problem = {};
};

/// Requests the running host to leave and waits for its end.
EndedHost end_running_host(const Config& config, Duration patience) {
  const auto host = find_running_host(config);
  if (!host) return {.problem = host.error().message};
  if (!*host) {
    fmt::print("no host runs on {}\n", config.data_folder.string());
    return {};
  }
  const HostFile& file = (*host)->file();
  const auto status = (*host)->request("POST", http::leave_path(patience));
  if (!status) return {.problem = status.error().message};
  const json::Value* runs = status->if_contains("runs");
  fmt::print("host {} (pid {}) takes no more jobs; {} running jobs have {} to end\n", file.name, file.pid,
             runs != nullptr && runs->is_array() ? runs->as_array().size() : 0, format_duration(patience));
  std::fflush(stdout);
  if (has_ended(file.pid, patience + kShutdownGrace)) return {.pid = file.pid};
  return {.pid = file.pid,
          .problem = fmt::format("the host (pid {}) still runs {} after its patience expired", file.pid,
                                 format_duration(kShutdownGrace))};
}

/// Returns whether no host of this machine is connected to the store any more; prints the hosts found.
bool verify_hosts(RedisAccess& access, const Config& config, std::int64_t ended) {
  const auto others = find_other_hosts(access, config, ended);
  if (!others) {
    fmt::print("hosts:\n  {} {}\n", ended == 0 ? "!" : "-", others.error().message);
    return ended != 0;  // the host of the data folder has ended; other hosts are unknown
  }
  if (others->here.empty() && others->elsewhere.empty()) return true;
  fmt::print("hosts:\n");
  for (const ConnectedHost& host : others->here)
    fmt::print("  ! still runs on this machine: {}\n", with_data_folder(host, "leave"));
  for (const ConnectedHost& host : others->elsewhere)
    fmt::print("  - still runs on another machine: {}\n", describe(host));
  return others->here.empty();
}

/// The name of the host whose jobs are requeued: the configured name, or the one in the data folder's
/// host.json; "": derived from the folder's host-id. Errors: host.json cannot be read.
Result<std::string> name_of_host(const Loaded& loaded) {
  if (loaded.settings.is_set({"worker", "name"})) return loaded.config.worker_name;
  const auto host = read_host_file(loaded.config.data_folder);
  if (!host && host.error().code != Errc::kNotFound) return host.error();
  return host ? host->name : "";
}

std::optional<std::string> why_no_name(const Loaded& loaded, const std::string& name) {
  std::error_code ignored;
  if (!name.empty() || std::filesystem::exists(loaded.config.data_folder / "host-id", ignored))
    return std::nullopt;
  return fmt::format(
      "no host has used the data folder {}, so the name of the host is unknown; pass its data folder with "
      "--data, or its name with --worker.name",
      loaded.config.data_folder.string());
}

std::optional<Delayed> read_delayed(const std::string& text) {
  if (text.empty() || text == "list") return Delayed::kList;
  if (text == "promote") return Delayed::kPromote;
  if (text == "keep") return Delayed::kKeep;
  return std::nullopt;
}

int recover_and_verify(Loaded& loaded, const std::string& host_name, Delayed delayed, bool safe) {
  const Logger log(stderr_log_sink(), LogLevel::kError);
  const Config& config = loaded.config;
  const NewFolder folder(config.data_folder);  // removes the folder again if it is new
  // Locked to the end: no other process uses the host's name while its jobs are requeued.
  const auto lock = lock_data_folder(config.data_folder);
  if (!lock) return fail(lock.error().message);
  if (const Status complete = complete_configuration(loaded, true, log); !complete) {
    const bool store = is_store_error(complete.error().code);
    return fail(complete.error().message, store ? kExitStore : kExitProblem);
  }
  if (!host_name.empty()) loaded.config.worker_name = host_name;
  SystemClock clock;
  SystemRandom random;
  ThreadLoop loop("gaur-leave");
  auto opened = open_store({.config = config, .env = Env{clock, random, loop}, .log = log, .on_fatal = {}});
  if (!opened) return fail(opened.error().message, kExitStore);
  for (const auto& [name, queue] : config.queues) {
    const QueueName queue_name(name);
    if (const Status usable = check_queue_dialect(*opened, queue_name); !usable) {
      safe = false;
      fmt::print("queue {}:\n  ! {}\n", name, usable.error().message);
      continue;
    }
    const auto notes = leave_queue(*opened, queue_name,
                                   SessionName(worker_session(config.worker_name, queue_name)), delayed);
    fmt::print("queue {}:\n", name);
    if (!notes) {
      if (notes.error().code == Errc::kDisconnected) return fail(notes.error().message, kExitStore);
      safe = false;
      fmt::print("  ! {}\n", notes.error().message);
      continue;
    }
    for (const LeaveNote& note : *notes) {
      safe = safe && !note.unsafe;
      fmt::print("  {} {}\n", note.unsafe ? "!" : "-", note.line);
    }
  }
  fmt::print("{}\n", safe ? "this host has no active jobs: safe to start pm2"
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
      "Stops the running host so that other workers can take over, requeues its jobs and verifies the queues",
      {{kExitOk, "safe to start other workers"},
       {kExitProblem, "not safe yet, or the configuration has problems"},
       {kExitUsage, "wrong arguments"},
       {kExitStore, "the store cannot be opened or did not answer"}},
      {{"--data", nullptr, "Data folder of the host (default: server.data)", &data},
       {"--patience", nullptr, "How long running jobs may continue (default: server.stop_timeout)",
        &patience_text},
       {"--delayed", nullptr,
        "Delayed jobs, which plain Bull workers never wake: list (and report not safe), promote (make them "
        "wait now) or keep",
        &delayed_text}});
  if (arguments.exit) return *arguments.exit;
  const auto delayed = read_delayed(delayed_text);
  const auto patience =
      patience_text.empty() ? Result<Duration>(Duration(-1)) : parse_duration(patience_text);
  if (!delayed) return exit_with_error("leave", "--delayed takes list, promote or keep", kExitUsage);
  if (!patience) return exit_with_error("leave", "--patience: " + patience.error().message, kExitUsage);
  Loaded loaded = load_configuration(arguments);
  if (!loaded.settings.problems().empty()) return print_configuration_problems(loaded.settings);
  if (!data.empty()) loaded.config.data_folder = std::filesystem::absolute(data).lexically_normal();
  if (!loaded.config.redis)
    return exit_with_error("leave", "an embedded store has no other workers; stop its host with TERM",
                           kExitProblem);
  // Connect before stopping anything: a host is stopped only if its queues can be recovered and verified.
  auto access = RedisAccess::open(loaded.settings, *loaded.config.redis);
  if (!access) return fail(access.error().message + "; nothing was stopped", kExitStore);
  const auto name = name_of_host(loaded);  // before the host removes host.json
  if (!name)
    return fail(name.error().message + "; nothing was stopped: pass the host's name with --worker.name");
  const EndedHost ended =
      end_running_host(loaded.config, patience->count() < 0 ? loaded.config.stop_timeout : *patience);
  if (ended.problem) return fail(*ended.problem);
  const bool alone = verify_hosts(**access, loaded.config, ended.pid);
  if (const auto why = why_no_name(loaded, *name)) return fail(*why);
  return recover_and_verify(loaded, *name, *delayed, alone);
}

}  // namespace gaur::app
