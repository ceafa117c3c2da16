// RunnerIo, second part: what it reads from runners and keepers.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "base/utf8.hpp"
#include "runner/runner_io.hpp"

namespace gaur {

namespace {

/// The pid of the keeper, or 0 if it has exited. Read from the pidfd: the kernel may have reused the number.
pid_t keeper_pid(const Child& child) {
  const Fd info(
      ::open(fmt::format("/proc/self/fdinfo/{}", child.fds.keeper.get()).c_str(), O_RDONLY | O_CLOEXEC));
  char text[512] = {};
  if (!info || ::read(info.get(), text, sizeof text - 1) <= 0) return 0;
  const char* line = std::strstr(text, "Pid:");
  return line != nullptr ? std::atoi(line + 4) : 0;
}

bool is_outcome(const RunnerFrame& frame) {
  return std::holds_alternative<frame::Completed>(frame) || std::holds_alternative<frame::Failed>(frame) ||
         std::holds_alternative<frame::Snooze>(frame);
}

}  // namespace

/// Reads once per poll, so that one runner that floods its pipe does not delay the others. Returns false if
/// there was nothing to read.
bool RunnerIo::read_frames(Child& child) {
  char block[64 << 10];
  const ssize_t got = ::read(child.fds.frames_out.get(), block, sizeof block);
  if (got < 0) return false;
  if (got == 0) {
    unwatch(child.fds.frames_out);
    child.frames_ended = clock_.now();
    set_timer();
    return false;
  }
  if (child.ignores_frames) return true;
  child.frames.feed({block, static_cast<std::size_t>(got)});
  while (!child.ignores_frames) {
    const auto line = child.frames.next();
    if (!line) break;
    handle_frame(child, *line);
  }
  if (child.frames.too_long()) {
    report_broken_frame(
        child, fmt::format("a line of over {} bytes; write a result of that size to a file", kMaxFrameBytes));
  }
  if (!child.paused && child.backlog->load() > options_.backlog_bytes) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child.fds.frames_out.get(), nullptr);
    child.paused = any_paused_ = true;
  }
  return true;
}

void RunnerIo::handle_frame(Child& child, std::string_view line) {
  auto frame = parse_frame(line);
  if (!frame) {
    constexpr std::size_t kShown = 200;
    return report_broken_frame(child,
                               fmt::format("{} in {}", frame.error().message, shortened(line, kShown)));
  }
  const bool outcome = is_outcome(*frame);
  RunFigures figures;
  if (outcome && child.meter.attached()) {
    figures = child.meter.figures();
    child.running = false;
    report_dropped_output(child);
  }
  const auto* completed = std::get_if<frame::Completed>(&*frame);
  const bool has_file = completed != nullptr && completed->file.has_value();
  // The memory of a runner without any job, against which the pool compares that after jobs.
  if (std::holds_alternative<frame::Ready>(*frame) && child.meter.attached()) sample(child);
  const std::size_t size = line.size() + 256;
  child.backlog->fetch_add(size);
  post_event([id = child.spec.id, parsed = *std::move(frame), figures, size,
              backlog = child.backlog](ProcessEvents& events) mutable {
    backlog->fetch_sub(size);
    events.on_frame(id, std::move(parsed), figures);
  });
  if (outcome && child.meter.attached()) clean_after_run(child, has_file);
}

void RunnerIo::report_broken_frame(Child& child, std::string what) {
  if (std::exchange(child.ignores_frames, true)) return;
  post_event([id = child.spec.id, what = std::move(what)](ProcessEvents& events) {
    events.on_broken_frame(id, what);
  });
}

void RunnerIo::resume_paused() {
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

/// Returns false if there was nothing to read.
bool RunnerIo::read_output(Child& child, Fd& fd, OutputLines& lines, const char* stream) {
  const Instant now = clock_.now();
  if (child.output.second_ended(now)) report_dropped_output(child);
  const auto log = [&](std::string_view line) {
    if (&lines == &child.err_lines) child.tail.add(line);
    if (!child.output.take(line.size(), now)) return;
    options_.log.info("runner output",
                      {{"pool", child.spec.pool}, {"pid", child.pid}, {"stream", stream}, {"line", line}});
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

void RunnerIo::report_dropped_output(Child& child) {
  const OutputBudget::Dropped dropped = child.output.report();
  if (dropped.lines == 0) return;
  options_.log.warn(
      "runner output dropped: more than max_output or max_output_rate of its pool",
      {{"pool", child.spec.pool}, {"pid", child.pid}, {"lines", dropped.lines}, {"bytes", dropped.bytes}});
}

void RunnerIo::read_report(Child& child) {
  keeper::Report report;
  const ssize_t got = ::read(child.fds.reports.get(), &report, sizeof report);
  if (got < 0) return;
  if (got != sizeof report) return unwatch(child.fds.reports);
  switch (report.kind) {
    case keeper::Report::Kind::kStarted:
      child.pid = report.pid;
      child.meter.attach(report.pid, keeper_pid(child));
      // Only now: a run sent after an earlier `ready` could be neither limited nor measured.
      watch(child.fds.frames_out.get(), EPOLLIN, child.spec.id, Source::kFramesOut);
      post_event(
          [id = child.spec.id, pid = report.pid](ProcessEvents& events) { events.on_started(id, pid); });
      break;
    case keeper::Report::Kind::kCannotStart:
      child.exit.problem = report.step == IsolationStep::kNone
                               ? errno_error(child.spec.command.front(), report.error_number).message
                               : errno_error(to_string(report.step), report.error_number).message;
      report_exit(child);
      break;
    case keeper::Report::Kind::kEnded: on_ended(child, report); break;
    case keeper::Report::Kind::kCleaned: on_cleaned(child, report); break;
  }
}

void RunnerIo::on_ended(Child& child, const keeper::Report& report) {
  // Frames and output that the runner wrote before it died. All writers are dead, so end of file is near.
  while (child.fds.frames_out && !child.ignores_frames &&
         child.backlog->load() < 4 * options_.backlog_bytes) {
    if (!read_frames(child)) break;
  }
  while (child.fds.output && read_output(child, child.fds.output, child.out_lines, "stdout")) {
  }
  while (child.fds.errors && read_output(child, child.fds.errors, child.err_lines, "stderr")) {
  }
  report_dropped_output(child);
  child.exit.cause = child.tail.likely_cause();
  child.exit.output = child.tail.text();
  child.exit.signal = report.signal;
  child.exit.exit_code = report.exit_code;
  child.exit.over_processes = report.over_processes;
  child.exit.figures = child.meter.final_figures(report);
  if (!child.spec.cgroup.empty() && cgroup_oom_kills(child.spec.cgroup) > 0) {
    child.exit.oom_killed = true;
    child.exit.figures.peak_rss_bytes =
        std::max(child.exit.figures.peak_rss_bytes, cgroup_peak_bytes(child.spec.cgroup));
  }
  if (report.left > 0) {
    // The kernel frees memory first: 6 GB take a second. The keeper kills them until they have ended.
    options_.log.warn("processes of a runner are still ending 1 s after SIGKILL",
                      {{"pool", child.spec.pool}, {"pid", child.pid}, {"left", report.left}});
  }
  report_exit(child);
}

/// Closes the commands: the keeper may exit, and the kernel may reuse the runner's pid.
void RunnerIo::report_exit(Child& child) {
  if (std::exchange(child.exit_reported, true)) return;
  child.pid = 0;
  child.running = false;
  child.meter = Meter();
  unwatch(child.fds.frames_in);
  child.fds.commands.reset();
  post_event([id = child.spec.id, exit = child.exit](ProcessEvents& events) { events.on_exit(id, exit); });
}

void RunnerIo::on_keeper_ended(Child& child) {
  pollfd readable{child.fds.reports.get(), POLLIN, 0};
  while (child.fds.reports && ::poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN) != 0)
    read_report(child);
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(child.fds.keeper.get()), &info, WEXITED);
  if (!child.exit_reported) {
    // PDEATHSIG has killed the runner; processes that the runner forked may survive.
    child.exit.signal = SIGKILL;
    options_.log.error("keeper killed by another process", {{"pool", child.spec.pool}, {"pid", child.pid}});
    report_exit(child);
  }
  for (Fd* fd :
       {&child.fds.frames_out, &child.fds.output, &child.fds.errors, &child.fds.reports, &child.fds.keeper}) {
    unwatch(*fd);
  }
  if (child.scratch_released) remove(child.spec.scratch);
  if (!child.spec.cgroup.empty()) remove_cgroup(child.spec.cgroup);
  children_.erase(child.spec.id);
  set_timer();
}

}  // namespace gaur
