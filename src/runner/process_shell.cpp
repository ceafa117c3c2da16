#include "runner/process_shell.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "base/files.hpp"
#include "base/system_env.hpp"
#include "base/utf8.hpp"
#include "runner/child.hpp"

namespace gaur {

namespace {

enum class Source : std::uint64_t {
  kWake,
  kTimer,
  kFramesIn,
  kFramesOut,
  kOutput,
  kErrors,
  kReports,
  kKeeper
};
constexpr std::uint64_t kSources = 8;

constexpr Duration kSampleRunning{100};
constexpr int kIdleEvery = 20;  ///< of these ticks: idle runners are looked at every 2 s
constexpr Duration kClosePatience{3'000};
/// After a kill the keeper reports within its own patience of 1 s; one that does not is stuck itself.
constexpr Duration kKeeperPatience{3'000};
/// A runner that closed its frames and goes on living can answer nothing any more.
constexpr Duration kMutePatience{1'000};

}  // namespace

/// The thread and all that it owns. `posted_` is the one thing that others touch.
class ProcessShell::Io {
 public:
  Io(Executor& loop, ProcessShellOptions options)
      : loop_(loop),
        options_(std::move(options)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    watch(wake_.get(), EPOLLIN, 0, Source::kWake);
    watch(timer_.get(), EPOLLIN, 0, Source::kTimer);
    thread_ = std::thread([this] { live(); });
  }

  ~Io() {
    post([this] { stopping_ = true; });
    thread_.join();
  }

  void post(std::function<void()> task) {
    {
      std::lock_guard lock(mutex_);
      posted_.push_back(std::move(task));
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(wake_.get(), &one, sizeof one);
  }

  /// Runs `task` on the child, if it still is one.
  void with(RunnerId id, std::function<void(Child&)> task) {
    post([this, id, task = std::move(task)] {
      if (const auto found = children_.find(id); found != children_.end()) task(*found->second);
    });
  }

  void set_events(std::weak_ptr<ShellEvents> events) { events_ = std::move(events); }

  void empty_folder(const std::filesystem::path& folder) {
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    const std::vector<std::filesystem::path> found = entries_of(folder, problem);
    // Renamed first: a new runner's folder may bear the name of one that a killed server left.
    int number = 0;
    for (const auto& path : found) {
      std::filesystem::path aside;
      do {
        aside = folder / fmt::format(".old-{}", ++number);
      } while (std::filesystem::exists(aside, problem));
      std::filesystem::rename(path, aside, problem);
      remove(problem ? path : aside);
    }
  }

  /// Spilled files may take long to delete: not on this thread.
  void remove(std::filesystem::path folder) {
    if (!cleaner_) cleaner_ = std::make_unique<ThreadLoop>("gaur-clean");
    cleaner_->post([folder = std::move(folder)] {
      std::error_code ignored;
      std::filesystem::remove_all(folder, ignored);
    });
  }

  /// While the keeper is there, its processes may still write into the folder.
  void release_scratch(RunnerId id, std::filesystem::path scratch) {
    if (const auto found = children_.find(id); found != children_.end()) {
      found->second->scratch_released = true;
    } else {
      remove(std::move(scratch));
    }
  }

  void start(SpawnSpec spec) {
    const RunnerId id = spec.id;
    auto child = std::make_unique<Child>(std::move(spec), options_.output_line_bytes);
    Status made = make_scratch(child->spec.scratch);
    Result<Spawned> spawned =
        made ? spawn_keeper(options_.keeper_program, child->spec) : Result<Spawned>(made.error());
    if (!spawned) {
      tell([id, problem = spawned.error().message](ShellEvents& events) {
        events.on_exit(id, RunnerExit{problem, 0, 0, {}});
      });
      return;
    }
    child->fds = *std::move(spawned);
    child->memory_limit = child->spec.memory_bytes;
    watch(child->fds.output.get(), EPOLLIN, id, Source::kOutput);
    watch(child->fds.errors.get(), EPOLLIN, id, Source::kErrors);
    watch(child->fds.reports.get(), EPOLLIN, id, Source::kReports);
    watch(child->fds.keeper.get(), EPOLLIN, id, Source::kKeeper);
    children_.emplace(id, std::move(child));
    set_timer();
  }

  void run(Child& child, const std::string& frame, std::uint64_t memory_bytes) {
    if (child.pid > 0 && child.memory_limit != memory_bytes && limit_memory(child.pid, memory_bytes)) {
      child.memory_limit = memory_bytes;
    }
    if (child.meter.attached()) child.meter.begin();
    child.running = true;
    child.tail.clear();  // what it said about earlier runs explains nothing of this one
    set_timer();
    send(child, frame);
  }

  void send(Child& child, const std::string& frame) {
    child.outbox += frame;
    flush(child);
  }

  void close_input(Child& child) {
    child.close_when_sent = true;
    flush(child);
  }

  void command(Child& child, keeper::Command command) {
    if (!child.fds.commands) return;
    const char byte = static_cast<char>(command);
    [[maybe_unused]] const ssize_t told = ::write(child.fds.commands.get(), &byte, 1);
    if (command == keeper::Command::kKill && !child.kill_sent) {
      child.kill_sent = clock_.now();
      set_timer();
    }
  }

 private:
  void watch(int fd, std::uint32_t events, RunnerId id, Source source) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id * kSources + static_cast<std::uint64_t>(source);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    }
  }
  void unwatch(Fd& fd) {
    if (fd) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
    fd.reset();
  }

  template <class Call>
  void tell(Call call) {
    loop_.post([events = events_, call = std::move(call)]() mutable {
      if (const auto listener = events.lock()) call(*listener);
    });
  }

  static Status make_scratch(const std::filesystem::path& scratch) {
    std::error_code problem;
    for (const char* part : {"tmp", "out"}) std::filesystem::create_directories(scratch / part, problem);
    if (!problem) {
      std::filesystem::permissions(scratch, std::filesystem::perms::owner_all, problem);
    }
    if (problem) return Error{Errc::kIo, fmt::format("make {}: {}", scratch.string(), problem.message())};
    return ok();
  }

  void live() {
    name_this_thread("gaur-runners");
    // A runner that died must show as EPIPE on its pipe; no other signal is this thread's business either.
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!stopping_) turn(any_paused_ ? 5 : -1);
    end_all();
  }

  void turn(int timeout_ms) {
    epoll_event ready[64];
    const int count = ::epoll_wait(epoll_.get(), ready, 64, timeout_ms);
    for (int i = 0; i < count; ++i) {
      const RunnerId id = ready[i].data.u64 / kSources;
      const auto source = static_cast<Source>(ready[i].data.u64 % kSources);
      if (source == Source::kWake) {
        run_posted();
      } else if (source == Source::kTimer) {
        tick();
      } else if (const auto found = children_.find(id); found != children_.end()) {
        on_ready(*found->second, source);
      }
    }
    if (any_paused_) resume_paused();
  }

  void run_posted() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> tasks;
    {
      std::lock_guard lock(mutex_);
      tasks.swap(posted_);
    }
    for (const auto& task : tasks) task();
  }

  void on_ready(Child& child, Source source) {
    switch (source) {
      case Source::kFramesIn: flush(child); break;
      case Source::kFramesOut: read_frames(child); break;
      case Source::kOutput: read_output(child, child.fds.output, child.out_lines, "stdout"); break;
      case Source::kErrors: read_output(child, child.fds.errors, child.err_lines, "stderr"); break;
      case Source::kReports: read_reports(child); break;
      case Source::kKeeper: on_keeper_ended(child); break;
      case Source::kWake:
      case Source::kTimer: break;
    }
  }

  void flush(Child& child) {
    if (!child.fds.frames_in) return;
    while (child.outbox_sent < child.outbox.size()) {
      const ssize_t written = ::write(child.fds.frames_in.get(), child.outbox.data() + child.outbox_sent,
                                      child.outbox.size() - child.outbox_sent);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno == EAGAIN) {
        watch(child.fds.frames_in.get(), EPOLLOUT, child.spec.id, Source::kFramesIn);
        return;
      }
      if (written < 0) return unwatch(child.fds.frames_in);  // it reads no more; its end will tell why
      child.outbox_sent += static_cast<std::size_t>(written);
    }
    const bool was_large = child.outbox.capacity() > (std::size_t{256} << 10);
    child.outbox.clear();
    if (was_large) child.outbox.shrink_to_fit();
    child.outbox_sent = 0;
    if (child.close_when_sent) {
      unwatch(child.fds.frames_in);
    } else {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child.fds.frames_in.get(), nullptr);
    }
  }

  /// One read a turn, so that a runner that floods does not starve the others.
  /// False when nothing was there.
  bool read_frames(Child& child) {
    char block[64 << 10];
    const ssize_t got = ::read(child.fds.frames_out.get(), block, sizeof block);
    if (got < 0) return false;
    if (got == 0) {
      unwatch(child.fds.frames_out);
      child.frames_ended = clock_.now();
      set_timer();
      return false;
    }
    if (child.deaf) return true;
    child.frames.feed({block, static_cast<std::size_t>(got)});
    while (!child.deaf) {
      const auto line = child.frames.next();
      if (!line) break;
      take_frame(child, *line);
    }
    if (child.frames.too_long())
      broken(child, fmt::format("a line of over {} bytes: a result of that size belongs into a file",
                                kMaxFrameBytes));
    if (!child.paused && child.backlog->load() > options_.backlog_bytes) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child.fds.frames_out.get(), nullptr);
      child.paused = any_paused_ = true;
    }
    return true;
  }

  void take_frame(Child& child, std::string_view line) {
    auto frame = parse_frame(line);
    if (!frame) {
      constexpr std::size_t kShown = 200;
      return broken(child, fmt::format("{} in {}", frame.error().message, shortened(line, kShown)));
    }
    const bool outcome = std::holds_alternative<frame::Completed>(*frame) ||
                         std::holds_alternative<frame::Failed>(*frame) ||
                         std::holds_alternative<frame::Later>(*frame);
    RunFigures figures;
    if (outcome && child.meter.attached()) {
      figures = child.meter.figures();
      child.running = false;
    }
    const std::size_t size = line.size() + 256;
    child.backlog->fetch_add(size);
    tell([id = child.spec.id, parsed = *std::move(frame), figures, size,
          backlog = child.backlog](ShellEvents& events) mutable {
      backlog->fetch_sub(size);
      events.on_frame(id, std::move(parsed), figures);
    });
    if (outcome && child.meter.attached()) sample(child);  // what stays resident after the job
  }

  void broken(Child& child, std::string what) {
    if (std::exchange(child.deaf, true)) return;
    tell([id = child.spec.id, what = std::move(what)](ShellEvents& events) {
      events.on_broken_frame(id, what);
    });
  }

  void resume_paused() {
    any_paused_ = false;
    for (auto& [id, child] : children_) {
      if (!child->paused) continue;
      if (child->backlog->load() > options_.backlog_bytes / 2) {
        any_paused_ = true;
      } else {
        child->paused = false;
        if (child->fds.frames_out) watch(child->fds.frames_out.get(), EPOLLIN, id, Source::kFramesOut);
      }
    }
  }

  /// False when nothing was there.
  bool read_output(Child& child, Fd& fd, OutputLines& lines, const char* stream) {
    const auto log = [&](std::string_view line) {
      options_.log.info("runner output",
                        {{"pool", child.spec.pool}, {"pid", child.pid}, {"stream", stream}, {"line", line}});
      if (&lines == &child.err_lines) child.tail.add(line);
    };
    char block[16 << 10];
    const ssize_t got = ::read(fd.get(), block, sizeof block);
    if (got > 0) lines.feed({block, static_cast<std::size_t>(got)}, log);
    if (got == 0) {
      lines.finish(log);
      unwatch(fd);
    }
    return got > 0;
  }

  void read_reports(Child& child) {
    keeper::Report report;
    const ssize_t got = ::read(child.fds.reports.get(), &report, sizeof report);
    if (got < 0) return;
    if (got != sizeof report) return unwatch(child.fds.reports);
    switch (report.kind) {
      case keeper::Report::Kind::kStarted:
        child.pid = report.pid;
        child.meter.attach(report.pid, keeper_pid(child));
        // Not before: a run sent to an early `ready` could be neither limited nor measured.
        watch(child.fds.frames_out.get(), EPOLLIN, child.spec.id, Source::kFramesOut);
        tell([id = child.spec.id, pid = report.pid](ShellEvents& events) { events.on_started(id, pid); });
        break;
      case keeper::Report::Kind::kCannotStart:
        child.exit.problem = errno_error(child.spec.command.front(), report.error_number).message;
        tell_exit(child);
        break;
      case keeper::Report::Kind::kEnded: on_ended(child, report); break;
    }
  }

  void on_ended(Child& child, const keeper::Report& report) {
    // What it said before it died comes first. All writers are dead: end of file is near.
    while (child.fds.frames_out && !child.deaf && child.backlog->load() < 4 * options_.backlog_bytes) {
      if (!read_frames(child)) break;
    }
    while (child.fds.output && read_output(child, child.fds.output, child.out_lines, "stdout")) {
    }
    while (child.fds.errors && read_output(child, child.fds.errors, child.err_lines, "stderr")) {
    }
    child.exit.last_words = child.tail.telling_line();
    child.exit.output = child.tail.text();
    child.exit.signal = report.signal;
    child.exit.exit_code = report.exit_code;
    child.exit.figures = child.meter.final_figures(report);
    if (report.left > 0) {
      options_.log.error("processes of a runner would not die",
                         {{"pool", child.spec.pool}, {"pid", child.pid}, {"left", report.left}});
    }
    tell_exit(child);
  }

  /// The keeper may go now, and with it the claim on the runner's pid.
  void tell_exit(Child& child) {
    if (std::exchange(child.exit_told, true)) return;
    child.pid = 0;
    child.running = false;
    child.meter = Meter();
    unwatch(child.fds.frames_in);
    child.fds.commands.reset();
    tell([id = child.spec.id, exit = child.exit](ShellEvents& events) { events.on_exit(id, exit); });
  }

  void on_keeper_ended(Child& child) {
    read_reports_left(child);
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child.fds.keeper.get()), &info, WEXITED);
    if (!child.exit_told) {
      // Its PDEATHSIG has killed the runner; what the runner had forked off may live on.
      child.exit.signal = SIGKILL;
      options_.log.error("a keeper died of a foreign hand", {{"pool", child.spec.pool}, {"pid", child.pid}});
      tell_exit(child);
    }
    for (Fd* fd : {&child.fds.frames_out, &child.fds.output, &child.fds.errors, &child.fds.reports,
                   &child.fds.keeper}) {
      unwatch(*fd);
    }
    if (child.scratch_released) remove(child.spec.scratch);
    children_.erase(child.spec.id);
    set_timer();
  }

  void read_reports_left(Child& child) {
    pollfd readable{child.fds.reports.get(), POLLIN, 0};
    while (child.fds.reports && ::poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN) != 0)
      read_reports(child);
  }

  static pid_t keeper_pid(const Child& child) {
    // Asked by the pidfd rather than remembered: the number stays right, and 0 says that it has gone.
    const Fd info(
        ::open(fmt::format("/proc/self/fdinfo/{}", child.fds.keeper.get()).c_str(), O_RDONLY | O_CLOEXEC));
    char text[512] = {};
    if (!info || ::read(info.get(), text, sizeof text - 1) <= 0) return 0;
    const char* line = std::strstr(text, "Pid:");
    return line != nullptr ? std::atoi(line + 4) : 0;
  }

  void sample(Child& child) {
    tell([id = child.spec.id, bytes = child.meter.sample()](ShellEvents& events) {
      events.on_memory(id, bytes);
    });
  }

  void tick() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &count, sizeof count);
    ++ticks_;
    const Instant now = clock_.now();
    for (auto& [id, child] : children_) {
      const bool idle_turn = slow_ || ticks_ % kIdleEvery == 0;
      if (child->meter.attached() && (child->running || idle_turn)) sample(*child);
      if (child->frames_ended && now - *child->frames_ended > kMutePatience && !child->exit_told) {
        broken(*child, "end of file: it closed descriptor 4 and lives on");
      }
      if (child->kill_sent && now - *child->kill_sent > kKeeperPatience && !child->exit_told) {
        ::syscall(SYS_pidfd_send_signal, child->fds.keeper.get(), SIGKILL, nullptr, 0);
      }
    }
    set_timer();
  }

  /// Every 0.1 s while anything runs or is about to end, every 2 s while runners idle, never without one.
  void set_timer() {
    const bool busy = std::any_of(children_.begin(), children_.end(), [](const auto& entry) {
      return entry.second->running || entry.second->kill_sent || entry.second->frames_ended;
    });
    const int pace = children_.empty() ? 0 : busy ? 1 : kIdleEvery;
    slow_ = pace == kIdleEvery;
    if (pace == pace_) return;
    pace_ = pace;
    const auto ms = kSampleRunning.count() * pace;
    const timespec every{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
    const itimerspec setting{every, every};
    ::timerfd_settime(timer_.get(), 0, &setting, nullptr);
  }

  void end_all() {
    events_.reset();
    run_posted();  // a start that was posted before the end must not slip through
    for (auto& [id, child] : children_) child->fds.commands.reset();
    const Instant until = clock_.now() + kClosePatience;
    while (!children_.empty() && clock_.now() < until) turn(50);
    for (auto& [id, child] : children_) {
      ::syscall(SYS_pidfd_send_signal, child->fds.keeper.get(), SIGKILL, nullptr, 0);
    }
  }

  Executor& loop_;
  ProcessShellOptions options_;
  SystemClock clock_;
  Fd epoll_, wake_, timer_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_; all below belongs to the thread

  std::weak_ptr<ShellEvents> events_;
  std::map<RunnerId, std::unique_ptr<Child>> children_;
  std::unique_ptr<ThreadLoop> cleaner_;
  bool stopping_ = false, any_paused_ = false, slow_ = false;
  int pace_ = 0;
  int ticks_ = 0;
  std::thread thread_;
};

ProcessShell::ProcessShell(Executor& loop, ProcessShellOptions options)
    : io_(std::make_unique<Io>(loop, std::move(options))) {}
ProcessShell::~ProcessShell() = default;

void ProcessShell::listen(std::weak_ptr<ShellEvents> events) {
  io_->post([io = io_.get(), events = std::move(events)] { io->set_events(events); });
}
void ProcessShell::empty_folder(std::filesystem::path folder) {
  io_->post([io = io_.get(), folder = std::move(folder)] { io->empty_folder(folder); });
}
void ProcessShell::start(SpawnSpec spec) {
  io_->post([io = io_.get(), spec = std::move(spec)] { io->start(spec); });
}
void ProcessShell::run(RunnerId id, std::string frame, std::uint64_t memory_bytes) {
  io_->with(id, [io = io_.get(), frame = std::move(frame), memory_bytes](Child& child) {
    io->run(child, frame, memory_bytes);
  });
}
void ProcessShell::send(RunnerId id, std::string frame) {
  io_->with(id, [io = io_.get(), frame = std::move(frame)](Child& child) { io->send(child, frame); });
}
void ProcessShell::close_input(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->close_input(child); });
}
void ProcessShell::terminate(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->command(child, keeper::Command::kTerminate); });
}
void ProcessShell::kill(RunnerId id) {
  io_->with(id, [io = io_.get()](Child& child) { io->command(child, keeper::Command::kKill); });
}
void ProcessShell::release_scratch(RunnerId id, std::filesystem::path scratch) {
  io_->post([io = io_.get(), id, scratch = std::move(scratch)] { io->release_scratch(id, scratch); });
}

}  // namespace gaur
