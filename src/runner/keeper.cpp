#include "runner/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/fd.hpp"
#include "base/fork_supervision.hpp"
#include "base/process_info.hpp"
#include "base/syscall_filter.hpp"

namespace gaur {

namespace keeper {

std::vector<std::string> to_arguments(const Launch& launch) {
  std::vector<std::string> arguments{"keeper",
                                     "--server",
                                     std::to_string(launch.server_pid),
                                     "--memory",
                                     std::to_string(launch.memory_bytes),
                                     "--files",
                                     std::to_string(launch.open_files),
                                     "--processes",
                                     std::to_string(launch.max_processes)};
  if (!launch.working_folder.empty()) {
    arguments.insert(arguments.end(), {"--folder", launch.working_folder});
  }
  if (!launch.scratch.empty()) arguments.insert(arguments.end(), {"--scratch", launch.scratch});
  if (!launch.cgroup.empty()) arguments.insert(arguments.end(), {"--cgroup", launch.cgroup});
  const std::vector<std::string> isolation = gaur::to_arguments(launch.isolation);
  arguments.insert(arguments.end(), isolation.begin(), isolation.end());
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), launch.command.begin(), launch.command.end());
  return arguments;
}

namespace {

constexpr int kExitMisused = 64, kExitOrphan = 65;
/// Rounds of 10 ms; then the keeper reports although processes have survived SIGKILL.
constexpr int kKillRounds = 100, kCleanRounds = 50;

Launch parse(int argc, char** argv) {
  Launch launch;
  int i = 2;
  for (; i + 1 < argc && std::strcmp(argv[i], "--") != 0; i += 2) {
    const std::string key = argv[i];
    const char* value = argv[i + 1];
    if (key == "--server") launch.server_pid = std::atoi(value);
    if (key == "--memory") launch.memory_bytes = std::strtoull(value, nullptr, 10);
    if (key == "--files") launch.open_files = std::strtoull(value, nullptr, 10);
    if (key == "--processes") launch.max_processes = std::strtoull(value, nullptr, 10);
    if (key == "--folder") launch.working_folder = value;
    if (key == "--scratch") launch.scratch = value;
    if (key == "--cgroup") launch.cgroup = value;
    read_argument(launch.isolation, key, value);
  }
  for (++i; i < argc; ++i) launch.command.emplace_back(argv[i]);
  return launch;
}

/// This process and all that it starts belong to the cgroup afterwards.
IsolationFailure join_cgroup(const std::string& cgroup) {
  const Fd processes(::open((cgroup + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (processes && ::write(processes.get(), "0", 1) == 1) return {};
  return {IsolationStep::kCgroup, errno};
}

void set_limit(__rlimit_resource resource, rlim_t soft, bool hard_too) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = std::min(soft, limit.rlim_max);
  if (hard_too) limit.rlim_max = limit.rlim_cur;
  ::setrlimit(resource, &limit);
}

/// Sends the descriptor that answers the runner's forks over `keeper`. A kernel without it is tolerated
/// unless the isolation is required.
IsolationFailure limit_processes(const Launch& launch, int keeper) {
  if (launch.max_processes == 0) return {};
  const auto forks = supervise_forks();
  if (!forks && forks.error().code == Errc::kUnsupported && !launch.isolation.required) return {};
  if (forks && send_descriptor(keeper, forks->get())) return {};
  return {IsolationStep::kProcesses, errno != 0 ? errno : ENOSYS};
}

/// In the forked child. Does not return; on failure it writes an IsolationFailure to `problem`.
[[noreturn]] void become_runner(const Launch& launch, pid_t keeper, int problem, int forks) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != keeper) ::_exit(kExitOrphan);  // the keeper died before prctl()
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  set_limit(RLIMIT_CORE, 0, true);
  set_limit(RLIMIT_NOFILE, launch.open_files, true);
  std::vector<char*> arguments;
  for (const std::string& argument : launch.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::close_range(kReports, ~0U, CLOSE_RANGE_CLOEXEC);
  IsolationFailure failure = launch.cgroup.empty() ? IsolationFailure() : join_cgroup(launch.cgroup);
  if (failure.step == IsolationStep::kNone) failure = isolate(launch.isolation, launch.scratch);
  if (failure.step == IsolationStep::kNone) failure = limit_processes(launch, forks);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a switch of the user has cleared it
  if (::getppid() != keeper) ::_exit(kExitOrphan);
  if (failure.step == IsolationStep::kNone) {
    if (launch.working_folder.empty() || ::chdir(launch.working_folder.c_str()) == 0) {
      // Last, because this process may need more memory than the runner's limit.
      if (launch.memory_bytes > 0) set_limit(RLIMIT_DATA, launch.memory_bytes, false);
      ::execvp(arguments[0], arguments.data());
    }
    failure.error_number = errno;
  }
  [[maybe_unused]] const ssize_t written = ::write(problem, &failure, sizeof failure);
  ::_exit(127);
}

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

/// Thread-safety: the process has one thread.
class Keeper {
 public:
  explicit Keeper(Launch launch) : launch_(std::move(launch)) {}

  int run() {
    if (!become_keeper()) return kExitOrphan;
    if (!start()) return 0;
    const bool server_lives = wait_for_end();
    end_all();
    report_end();
    if (server_lives) wait_for_release();
    finish();
    return 0;
  }

 private:
  bool become_keeper() {
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD}) sigaddset(&blocked, signal);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    signals_ = Fd(::signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK));
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (!hide_process()) return false;
    return ::getppid() == launch_.server_pid;
  }

  bool start() {
    auto problem = make_pipe(kCommands + 1);
    if (!problem) return false;
    int forks[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, forks) != 0) return false;
    const Fd forks_here(forks[0]);
    Fd forks_there(forks[1]);
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) become_runner(launch_, self, problem->write.get(), forks_there.get());
    forks_there.reset();
    Report report;
    report.pid = child;
    report.error_number = child < 0 ? errno : 0;
    problem->write.reset();
    IsolationFailure failure;
    // End of file: the descriptor was closed by a successful exec.
    if (child > 0 && ::read(problem->read.get(), &failure, sizeof failure) > 0) {
      report.error_number = failure.error_number;
      report.step = failure.step;
      ::waitpid(child, nullptr, 0);
    }
    if (report.error_number != 0) report.kind = Report::Kind::kCannotStart;
    // Only the runner keeps these descriptors open, so that its exit causes end of file.
    for (int fd = 0; fd <= kFramesOut; ++fd) ::close(fd);
    send(report);
    if (report.error_number != 0) return false;
    forks_ = receive_descriptor(forks_here.get());
    runner_ = child;
    runner_fd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    return true;
  }

  /// Handles commands until the runner exits or must be killed (true), or the server is gone (false).
  bool wait_for_end() {
    while (true) {
      pollfd fds[] = {{runner_fd_.get(), POLLIN, 0},
                      {kCommands, POLLIN, 0},
                      {signals_.get(), POLLIN, 0},
                      {forks_.get(), POLLIN, 0}};
      if (::poll(fds, 4, -1) < 0 && errno != EINTR) return false;
      if (fds[0].revents != 0) return true;
      if (fds[3].revents != 0 && !answer_fork((fds[3].revents & POLLIN) != 0)) return true;
      if (fds[1].revents != 0) {
        char command = 0;
        if (::read(kCommands, &command, 1) <= 0) return false;
        if (command == static_cast<char>(Command::kKill)) return true;
        if (command == static_cast<char>(Command::kTerminate)) ::kill(-runner_, SIGTERM);
        const bool others = command == static_cast<char>(Command::kEndOthers);
        if ((others || command == static_cast<char>(Command::kEndOrphans)) && !clean(others)) return false;
      }
      if (fds[2].revents != 0 && ended_by_signal()) return false;
    }
  }

  /// Lets one fork of the runner continue. False: the tree has too many processes; the fork waits until it
  /// is killed. Counting the tree is slow, so it is counted only where that many forks were allowed since the
  /// last count. Forks that have not made their process yet are missed, so the tree may grow to twice the
  /// limit.
  bool answer_fork(bool waiting) {
    const auto fork = waiting ? next_fork(forks_.get()) : std::nullopt;
    if (!fork) {
      if (!waiting) forks_.reset();  // nobody is left who could fork
      return true;
    }
    if (++processes_ > launch_.max_processes) {
      reap_others();
      processes_ = tasks_below(::getpid()) + 1;
      if (processes_ > launch_.max_processes) {
        report_.over_processes = static_cast<std::uint32_t>(processes_);
        return false;
      }
    }
    if (!allow_fork(forks_.get(), *fork)) forks_.reset();
    return true;
  }

  /// Also reaps the runner's orphans, which would remain zombies.
  bool ended_by_signal() {
    bool end = false;
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) reap_others();
      // SIGTERM comes from PDEATHSIG when the server's spawning thread ended, or from an operator.
      if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP) end = true;
    }
    return end;
  }

  /// Reaps exited children except the runner: its pid must stay valid until the server closes kCommands.
  std::uint32_t reap_others() {
    std::uint32_t reaped = 0;
    for (const pid_t child : children_of(::getpid())) {
      if (child == runner_) continue;
      int status = 0;
      rusage usage{};
      if (::wait4(child, &status, WNOHANG, &usage) != child) continue;
      add(usage);
      ++reaped;
    }
    return reaped;
  }

  /// Ends what the last job left; the runner stays. `others`: its living descendants too. Returns false if
  /// this process must end.
  bool clean(bool others) {
    bool stays = true;
    Report report;
    report.kind = Report::Kind::kCleaned;
    report.pid = runner_;
    for (int round = 0; round < kCleanRounds && !runner_exits(); ++round) {
      reap_others();
      report.left = kill_orphans() + (others ? kill_below_runner() : 0);
      if (report.left == 0) break;
      pollfd fds[] = {{signals_.get(), POLLIN, 0}, {runner_fd_.get(), POLLIN, 0}};
      ::poll(fds, 2, 10);
      if (ended_by_signal()) stays = false;
    }
    send(report);
    return stays;
  }

  /// Only this process reaps them, so their pids are not reused.
  std::uint32_t kill_orphans() {
    std::uint32_t alive = 0;
    for (const pid_t child : children_of(::getpid())) {
      if (child == runner_) continue;
      ::kill(child, SIGKILL);
      ++alive;
    }
    return alive;
  }

  /// The runner reaps these, so each is signalled through a pidfd, after a second look: the number may have
  /// been reused before the pidfd was open. Zombies that the runner does not reap count for nothing.
  std::uint32_t kill_below_runner() {
    std::uint32_t alive = 0;
    for (const pid_t pid : descendants_of(runner_)) {
      const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      const auto now = descendants_of(runner_);
      if (!process || std::find(now.begin(), now.end(), pid) == now.end()) continue;
      pollfd ended{process.get(), POLLIN, 0};
      if (::poll(&ended, 1, 0) > 0) continue;
      ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
      ++alive;
    }
    return alive;
  }

  bool runner_exits() const {
    pollfd ended{runner_fd_.get(), POLLIN, 0};
    return ::poll(&ended, 1, 0) > 0;
  }

  /// Kills all children until there are none. Only direct children are signalled: only this process reaps
  /// them, so their pids are not reused. Their children become children of this process (a subreaper) and are
  /// killed in the next round.
  void end_all() {
    ::kill(-runner_, SIGKILL);  // atomic for the process group, so that a fork bomb cannot escape
    for (int round = 0; round < kKillRounds; ++round) {
      // The list may miss children while others exit: it counts as empty only if none exited.
      const bool disturbed = reap_others() > 0;
      std::uint32_t alive = runner_ended() ? 0 : 1;
      for (const pid_t child : children_of(::getpid())) {
        if (child == runner_) continue;
        ::kill(child, SIGKILL);
        ++alive;
      }
      report_.left = alive;
      if (alive == 0 && !disturbed) return;
      if (alive == 0) continue;
      pollfd fds[] = {{signals_.get(), POLLIN, 0},
                      {runner_fd_.get(), static_cast<short>(runner_ended() ? 0 : POLLIN), 0}};
      ::poll(fds, 2, 10);
      signalfd_siginfo info{};
      while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      }
    }
  }

  /// Does not reap.
  bool runner_ended() {
    if (report_.kind == Report::Kind::kEnded) return true;
    siginfo_t info{};
    rusage usage{};
    // The system call itself, unlike glibc's waitid(), also returns the resource usage.
    if (::syscall(SYS_waitid, P_PID, runner_, &info, WEXITED | WNOHANG | WNOWAIT, &usage) != 0 ||
        info.si_pid == 0) {
      return false;
    }
    report_.kind = Report::Kind::kEnded;
    report_.pid = runner_;
    if (info.si_code == CLD_EXITED) {
      report_.exit_code = info.si_status;
    } else {
      report_.signal = info.si_status;
    }
    add(usage);
    return true;
  }

  void add(const rusage& usage) {
    report_.cpu_us += microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    report_.max_rss_bytes =
        std::max(report_.max_rss_bytes, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
  }

  void report_end() {
    report_.kind = Report::Kind::kEnded;
    report_.pid = runner_;
    send(report_);
  }

  static void send(const Report& report) {
    [[maybe_unused]] const Status written =
        write_all(kReports, {reinterpret_cast<const char*>(&report), sizeof report});
  }

  /// Waits until the server closes kCommands: it then no longer uses the runner's pid.
  static void wait_for_release() {
    char command = 0;
    while (true) {
      const ssize_t got = ::read(kCommands, &command, 1);
      if (got == 0 || (got < 0 && errno != EINTR)) return;
    }
  }

  /// Kills processes that were still alive at the report.
  void finish() {
    runner_ = 0;
    while (true) {
      for (const pid_t child : children_of(::getpid())) ::kill(child, SIGKILL);
      if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
    }
  }

  Launch launch_;
  Fd signals_, runner_fd_;
  /// Answers the runner's forks; none: they are not limited.
  Fd forks_;
  /// The runner itself, and forks since the last count.
  std::uint64_t processes_ = 1;
  pid_t runner_ = 0;
  Report report_;
};

}  // namespace
}  // namespace keeper

int keeper_main(int argc, char** argv) {
  keeper::Launch launch = keeper::parse(argc, argv);
  if (launch.command.empty() || launch.server_pid <= 0) {
    [[maybe_unused]] const Status written =
        write_all(2, "gaur keeper is internal: the server starts it for each runner\n");
    return keeper::kExitMisused;
  }
  return keeper::Keeper(std::move(launch)).run();
}

}  // namespace gaur
