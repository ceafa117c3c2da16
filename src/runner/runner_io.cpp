#include "runner/runner_io.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/files.hpp"
#include "base/remove_tree.hpp"

namespace gaur {

namespace {

constexpr std::uint64_t kSources = 8;

constexpr Duration kSampleInterval{100};
/// Idle runners are sampled at every 20th interval: each 2 s.
constexpr int kIdlePace = 20;
constexpr Duration kCloseTimeout{3'000};
/// After a kill the keeper reports within 1 s; a keeper that does not is stuck.
constexpr Duration kKeeperTimeout{3'000};
/// A runner that closed its frames and still runs can send no outcome.
constexpr Duration kClosedFramesGrace{1'000};

/// The folder of one runner. `user` owns only tmp/ and out/ in it: a runner that could replace these with a
/// symbolic link would let the server move and remove files elsewhere.
Status make_scratch(const std::filesystem::path& scratch, const std::optional<UserIds>& user) {
  namespace fs = std::filesystem;
  std::error_code problem;
  for (const char* part : {"tmp", "out"}) fs::create_directories(scratch / part, problem);
  const fs::perms pass = fs::perms::owner_all | (user ? fs::perms::others_exec : fs::perms::none);
  if (!problem) fs::permissions(scratch, pass, problem);
  for (const char* part : {"tmp", "out"}) {
    if (!problem) fs::permissions(scratch / part, fs::perms::owner_all, problem);
    if (!problem && user && ::lchown((scratch / part).c_str(), user->uid, user->groups.front()) != 0)
      return errno_error("give " + (scratch / part).string() + " to user " + user->name, errno);
  }
  if (problem)
    return Error{Errc::kIo, fmt::format("cannot create {}: {}", scratch.string(), problem.message())};
  return ok();
}

void kill_keeper(const Child& child) {
  ::syscall(SYS_pidfd_send_signal, child.fds.keeper.get(), SIGKILL, nullptr, 0);
}

}  // namespace

RunnerIo::RunnerIo(Executor& loop, ProcessHostOptions options)
    : loop_(loop),
      options_(std::move(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  watch(wake_.get(), EPOLLIN, 0, Source::kWake);
  watch(timer_.get(), EPOLLIN, 0, Source::kTimer);
  prepare_cgroups();
  thread_ = std::thread([this] { run_loop(); });
}

RunnerIo::~RunnerIo() {
  post([this] { stopping_ = true; });
  thread_.join();
}

void RunnerIo::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

void RunnerIo::with(RunnerId id, std::function<void(Child&)> task) {
  post([this, id, task = std::move(task)] {
    if (const auto found = children_.find(id); found != children_.end()) task(*found->second);
  });
}

void RunnerIo::empty_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  const std::vector<std::filesystem::path> found = entries_of(folder, problem);
  // Renamed first: a new runner's folder may have the name of one that a killed server left.
  int number = 0;
  for (const auto& path : found) {
    std::filesystem::path renamed;
    do {
      renamed = folder / fmt::format(".old-{}", ++number);
    } while (std::filesystem::exists(renamed, problem));
    std::filesystem::rename(path, renamed, problem);
    remove(problem ? path : renamed);
  }
}

ThreadLoop& RunnerIo::cleaner() {
  if (!cleaner_) cleaner_ = std::make_unique<ThreadLoop>("gaur-clean");
  return *cleaner_;
}

/// Large spilled files take long to delete: another thread does it.
void RunnerIo::remove(std::filesystem::path folder) {
  cleaner().post([folder = std::move(folder), log = options_.log] {
    if (const Status removed = remove_tree(folder); !removed)
      log.warn("folder of a runner not removed", {{"why", removed.error().message}});
  });
}

/// Processes below a live keeper may still write into the folder.
void RunnerIo::release_scratch(RunnerId id, std::filesystem::path scratch) {
  if (const auto found = children_.find(id); found != children_.end()) {
    found->second->scratch_released = true;
  } else {
    remove(std::move(scratch));
  }
}

void RunnerIo::start(SpawnSpec spec) {
  const RunnerId id = spec.id;
  make_cgroup(spec);
  auto child = std::make_unique<Child>(std::move(spec), options_.output_line_bytes);
  Status made = make_scratch(child->spec.scratch, child->spec.isolation.user);
  Result<Spawned> spawned =
      made ? spawn_keeper(options_.keeper_program, child->spec) : Result<Spawned>(made.error());
  if (!spawned) {
    if (!child->spec.cgroup.empty()) remove_cgroup(child->spec.cgroup);
    post_event([id, problem = spawned.error().message](ProcessEvents& events) {
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

void RunnerIo::run(Child& child, const std::string& frame, std::uint64_t memory_bytes) {
  if (child.unclean) return;
  if (child.cleaning > 0)
    return child.held.push_back([this, &child, frame, memory_bytes] { run(child, frame, memory_bytes); });
  note_tmp(child);
  if (child.pid > 0 && child.memory_limit != memory_bytes) {
    if (!child.spec.cgroup.empty()) {
      if (const Status set = set_cgroup_memory(child.spec.cgroup, memory_bytes); !set)
        options_.log.warn("memory limit of a cgroup not changed", {{"why", set.error().message}});
    }
    if (limit_memory(child.pid, memory_bytes)) {
      child.memory_limit = memory_bytes;
    } else if (!std::exchange(child.limit_failure_logged, true)) {
      // Another user's process: CAP_SYS_RESOURCE is needed. Measuring still ends the run at its limit.
      options_.log.warn("RLIMIT_DATA of a run was not changed",
                        {{"pool", child.spec.pool}, {"pid", child.pid}, {"bytes", memory_bytes}});
    }
  }
  if (child.meter.attached()) child.meter.begin();
  child.running = true;
  report_dropped_output(child);
  child.output.begin_run();
  child.tail.clear();  // output of earlier runs does not explain a failure of this one
  set_timer();
  send(child, frame);
}

void RunnerIo::send(Child& child, const std::string& frame) {
  if (child.cleaning > 0) return child.held.push_back([this, &child, frame] { send(child, frame); });
  child.outbox += frame;
  flush(child);
}

void RunnerIo::close_input(Child& child) {
  if (child.cleaning > 0) return child.held.push_back([this, &child] { close_input(child); });
  child.close_when_sent = true;
  flush(child);
}

void RunnerIo::command(Child& child, keeper::Command command) {
  if (!child.fds.commands) return;
  const char byte = static_cast<char>(command);
  [[maybe_unused]] const ssize_t written = ::write(child.fds.commands.get(), &byte, 1);
  if (command == keeper::Command::kKill && !child.spec.cgroup.empty()) kill_cgroup(child.spec.cgroup);
  if (command == keeper::Command::kKill && !child.kill_sent) {
    child.kill_sent = clock_.now();
    set_timer();
  }
}

void RunnerIo::watch(int fd, std::uint32_t events, RunnerId id, Source source) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id * kSources + static_cast<std::uint64_t>(source);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
  }
}

void RunnerIo::unwatch(Fd& fd) {
  if (fd) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
  fd.reset();
}

void RunnerIo::run_loop() {
  name_this_thread("gaur-runners");
  // A write to a dead runner's pipe must fail with EPIPE; other threads handle all other signals.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (!stopping_) poll_once(any_paused_ ? 5 : -1);
  end_all();
}

void RunnerIo::poll_once(int timeout_ms) {
  epoll_event ready[64];
  const int count = ::epoll_wait(epoll_.get(), ready, 64, timeout_ms);
  for (int i = 0; i < count; ++i) {
    const RunnerId id = ready[i].data.u64 / kSources;
    const auto source = static_cast<Source>(ready[i].data.u64 % kSources);
    if (source == Source::kWake) {
      run_posted();
    } else if (source == Source::kTimer) {
      on_timer();
    } else if (const auto found = children_.find(id); found != children_.end()) {
      on_ready(*found->second, source);
    }
  }
  if (any_paused_) resume_paused();
}

void RunnerIo::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

void RunnerIo::on_ready(Child& child, Source source) {
  switch (source) {
    case Source::kFramesIn: flush(child); break;
    case Source::kFramesOut: read_frames(child); break;
    case Source::kOutput: read_output(child, child.fds.output, child.out_lines, "stdout"); break;
    case Source::kErrors: read_output(child, child.fds.errors, child.err_lines, "stderr"); break;
    case Source::kReports: read_report(child); break;
    case Source::kKeeper: on_keeper_ended(child); break;
    case Source::kWake:
    case Source::kTimer: break;
  }
}

void RunnerIo::flush(Child& child) {
  if (!child.fds.frames_in) return;
  while (child.outbox_sent < child.outbox.size()) {
    const ssize_t written = ::write(child.fds.frames_in.get(), child.outbox.data() + child.outbox_sent,
                                    child.outbox.size() - child.outbox_sent);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      watch(child.fds.frames_in.get(), EPOLLOUT, child.spec.id, Source::kFramesIn);
      return;
    }
    if (written < 0) return unwatch(child.fds.frames_in);  // the runner closed it; its exit gives the reason
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

void RunnerIo::sample(Child& child) {
  post_event([id = child.spec.id, bytes = child.meter.sample()](ProcessEvents& events) {
    events.on_memory(id, bytes);
  });
}

void RunnerIo::measure_scratch(Instant now) {
  if (!scratch_.is_due(now)) return;
  ScratchMeter::Folders folders;
  for (const auto& [id, child] : children_) {
    // What the last job left is not the fault of the next.
    if (child->spec.measure_scratch && child->pid > 0 && child->cleaning == 0)
      folders.emplace(id, child->spec.scratch);
  }
  if (folders.empty()) return;
  scratch_.measure(std::move(folders), [&loop = loop_, events = events_, now](ScratchSizes sizes) {
    loop.post([events, now, sizes = std::move(sizes)] {
      if (const auto listener = events.lock()) listener->on_scratch(sizes, now);
    });
  });
}

void RunnerIo::on_timer() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(timer_.get(), &count, sizeof count);
  ++ticks_;
  const Instant now = clock_.now();
  const bool sample_idle = samples_rarely_ || ticks_ % kIdlePace == 0;
  for (auto& [id, child] : children_) {
    if (child->meter.attached() && child->cleaning == 0 && (child->running || sample_idle)) sample(*child);
    if (child->frames_ended && now - *child->frames_ended > kClosedFramesGrace && !child->exit_reported)
      report_broken_frame(*child, "end of file: it closed descriptor 4 and still runs");
    if (child->kill_sent && now - *child->kill_sent > kKeeperTimeout && !child->exit_reported)
      kill_keeper(*child);
  }
  measure_scratch(now);
  set_timer();
}

/// 0.1 s while any runner runs or ends, 2 s while all are idle, off without runners.
void RunnerIo::set_timer() {
  const bool busy = std::any_of(children_.begin(), children_.end(), [](const auto& entry) {
    return entry.second->running || entry.second->kill_sent || entry.second->frames_ended;
  });
  const int pace = children_.empty() ? 0 : busy ? 1 : kIdlePace;
  samples_rarely_ = pace == kIdlePace;
  if (pace == pace_) return;
  pace_ = pace;
  const auto ms = kSampleInterval.count() * pace;
  const timespec interval{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  const itimerspec setting{interval, interval};
  ::timerfd_settime(timer_.get(), 0, &setting, nullptr);
}

void RunnerIo::end_all() {
  events_.reset();
  run_posted();  // starts that were posted before the end
  for (auto& [id, child] : children_) child->fds.commands.reset();
  const Instant until = clock_.now() + kCloseTimeout;
  while (!children_.empty() && clock_.now() < until) poll_once(50);
  for (auto& [id, child] : children_) kill_keeper(*child);
}

}  // namespace gaur
