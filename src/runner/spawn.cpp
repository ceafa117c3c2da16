#include "runner/spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/try.hpp"

namespace gaur {

namespace {

/// Owns the two arguments of posix_spawn() that need destroying.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);  // Ctrl-C must reach only the server
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

keeper::Launch launch_of(const SpawnSpec& spec) {
  keeper::Launch launch;
  launch.server_pid = ::getpid();
  launch.memory_bytes = spec.memory_bytes;
  launch.open_files = spec.open_files;
  launch.max_processes = spec.max_processes;
  launch.working_folder = spec.working_folder.string();
  launch.scratch = spec.scratch.string();
  launch.cgroup = spec.cgroup.string();
  launch.isolation = spec.isolation;
  launch.command = spec.command;
  return launch;
}

Result<Fd> start(const std::filesystem::path& program, const SpawnSpec& spec, SpawnPlan& plan) {
  std::vector<std::string> arguments = keeper::to_arguments(launch_of(spec));
  arguments.insert(arguments.begin(), "gaur");
  std::vector<std::string> environment;
  for (const auto& [name, value] : spec.env) environment.push_back(name + "=" + value);
  pid_t pid = 0;
  const int problem = ::posix_spawn(&pid, program.c_str(), &plan.actions, &plan.attributes,
                                    pointers(arguments).data(), pointers(environment).data());
  if (problem != 0) return errno_error("start " + program.string(), problem);
  // The pid cannot be reused before this process waits for it, which only the holder of the pidfd does.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error_number = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return errno_error("pidfd_open", error_number);
  }
  return pidfd;
}

}  // namespace

Result<Spawned> spawn_keeper(const std::filesystem::path& program, const SpawnSpec& spec) {
  GAUR_TRY(Pipe output, make_pipe());
  GAUR_TRY(Pipe errors, make_pipe());
  GAUR_TRY(Pipe frames_in, make_pipe());
  GAUR_TRY(Pipe frames_out, make_pipe());
  GAUR_TRY(Pipe reports, make_pipe());
  GAUR_TRY(Pipe commands, make_pipe());
  SpawnPlan plan;
  ::posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
  const std::pair<int, int> given[] = {{output.write.get(), 1},
                                       {errors.write.get(), 2},
                                       {frames_in.read.get(), keeper::kFramesIn},
                                       {frames_out.write.get(), keeper::kFramesOut},
                                       {reports.write.get(), keeper::kReports},
                                       {commands.read.get(), keeper::kCommands}};
  for (const auto& [from, to] : given) ::posix_spawn_file_actions_adddup2(&plan.actions, from, to);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, keeper::kCommands + 1);
  Spawned spawned;
  GAUR_TRY(spawned.keeper, start(program, spec, plan));
  spawned.frames_in = std::move(frames_in.write);
  spawned.frames_out = std::move(frames_out.read);
  spawned.output = std::move(output.read);
  spawned.errors = std::move(errors.read);
  spawned.reports = std::move(reports.read);
  spawned.commands = std::move(commands.write);
  for (const Fd* fd : {&spawned.frames_in, &spawned.frames_out, &spawned.output, &spawned.errors,
                       &spawned.reports, &spawned.commands}) {
    GAUR_CHECK(set_nonblocking(fd->get()));
  }
  return spawned;
}

std::map<std::string, std::string> passed_environment(const std::vector<std::string>& pass,
                                                      const char* const* environment) {
  std::map<std::string, std::string> passed;
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const bool wanted = std::any_of(pass.begin(), pass.end(), [&](std::string_view rule) {
      return rule.ends_with('*') ? name.starts_with(rule.substr(0, rule.size() - 1)) : name == rule;
    });
    if (wanted) passed.emplace(name, entry.substr(equals + 1));
  }
  return passed;
}

}  // namespace gaur
