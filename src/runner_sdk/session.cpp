#include "runner_sdk/session.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>
#include <exception>
#include <new>
#include <thread>

#include "base/json_text.hpp"
#include "base/json_writer.hpp"
#include "base/utf8.hpp"

namespace gaur::runner_sdk {

namespace {

constexpr Duration kProgressInterval{50};
constexpr std::size_t kMostLogBytes = std::size_t{16} << 10;
constexpr std::size_t kFrameOverhead = 4096;  // of the other members of a frame
constexpr json::ParseLimits kResultLimits{.max_bytes = kMostLineBytes - kFrameOverhead,
                                          .max_depth = json::kPeerDepth};

std::string completed_frame(const std::string& run, const answer::Completed& done) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "completed").text("run", run).raw("result", json::one_line(done.result));
    if (!done.file) return;
    frame.object("file", [&](json::ObjectWriter& file) {
      file.text("name", done.file->name).text("format", done.file->format).number("rows", done.file->rows);
    });
  });
}

std::string failed_frame(const std::string& run, const answer::Failed& bad) {
  const bool details = json::parse_object(bad.details).has_value() && bad.details.size() < (64U << 10U);
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "failed").text("run", run).text("message", bad.message).text("code", bad.code);
    frame.flag("final", bad.final).raw("details", details ? json::one_line(bad.details) : "{}");
  });
}

std::string snooze_frame(const std::string& run, const answer::Snooze& snooze) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "snooze").text("run", run);
    frame.number("delay_ms", std::max<std::int64_t>(0, snooze.delay.count())).text("message", snooze.why);
  });
}

std::string ready_frame(const std::string& name) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "ready").number("protocol", 1).text("name", name);
  });
}

std::string progress_frame(const std::string& run, std::string_view value) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "progress").text("run", run).raw("value", value);
  });
}

std::string log_frame(const std::string& run, std::string_view line) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "log").text("run", run).text("line", utf8_prefix(line, kMostLogBytes));
  });
}

}  // namespace

Session::Session(const RunnerProgram& program, Clock& clock, SessionOptions options)
    : program_(program), clock_(clock), options_(std::move(options)), writer_(options_.out) {}

int Session::serve() {
  if (!writer_.write(ready_frame(program_.name))) return 1;
  std::thread reader([this] { read(); });
  while (true) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) break;
    JobData job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    begin(std::move(job));
    std::string frame = run_job();
    malloc_trim(0);
    lock.lock();
    job_.reset();
    if (stopped_) break;  // the stop determines the end of the run
    lock.unlock();
    // If the reader is gone, the reading thread gets end of file and stops the session.
    [[maybe_unused]] const auto sent = writer_.write(std::move(frame));
  }
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  reader.join();
  return exit_code_;
}

void Session::read() {
  const auto read = read_lines(options_.in, -1, [this](const std::string& line) { return on_line(line); });
  if (!read) std::fprintf(stderr, "%s\n", read.error().message.c_str());
  stop(read ? 0 : 1);
}

bool Session::on_line(std::string_view line) {
  const auto frame = json::parse_object(line, {.max_bytes = kMostLineBytes, .max_depth = json::kFrameDepth});
  if (!frame) {
    std::fprintf(stderr, "not a frame: %s\n", frame.error().message.c_str());
    stop(1);
    return false;
  }
  const std::string type = json::text_or(*frame, "type", "");
  if (type == "stop") return false;
  if (type == "cancel") {
    std::unique_lock lock(mutex_);
    if (job_ && job_->run == json::text_or(*frame, "run", "")) {
      cancel(lock, json::text_or(*frame, "message", json::text_or(*frame, "reason", "cancelled")));
    }
  } else if (type == "run") {
    auto job = JobData::read(line);
    if (!job) return true;  // unreachable: the frame was parsed above
    const std::lock_guard lock(mutex_);
    waiting_.push_back(*std::move(job));
    changed_.notify_all();
  }
  return true;
}

void Session::stop(int exit_code) {
  std::unique_lock lock(mutex_);
  if (stopped_) return;
  stopped_ = true;
  exit_code_ = exit_code;
  if (job_) cancel(lock, "the runner is stopped");
  changed_.notify_all();
  if (!changed_.wait_for(lock, options_.stop_timeout, [this] { return ended_; }) && options_.exit)
    options_.exit(exit_code_);
}

/// Unlocked while callbacks of the stop token run, because they may use the run.
void Session::cancel(std::unique_lock<std::mutex>& lock, const std::string& message) {
  if (cancel_message_.empty()) cancel_message_ = message.empty() ? "cancelled" : message;
  std::stop_source source = stop_;
  lock.unlock();
  source.request_stop();
  lock.lock();  // threads that checked before the request wait by now
  changed_.notify_all();
}

void Session::begin(JobData job) {
  const std::lock_guard lock(mutex_);
  job_ = std::make_shared<const JobData>(std::move(job));
  stop_ = std::stop_source();
  cancel_message_.clear();
  progress_.reset();
  progress_sent_.reset();
}

RunAnswer Session::call() const {
  const auto function = program_.functions.find(job_->function);
  if (function == program_.functions.end()) {
    std::string names;
    for (const auto& [name, unused] : program_.functions) names += (names.empty() ? "" : ", ") + name;
    return answer::Failed{fmt::format("there is no function {}; there are {}", job_->function, names),
                          "unknown_function", true};
  }
  RunContext context(const_cast<Session&>(*this));
  return function->second(JobView(job_), context);
}

/// Runs the job and returns its outcome frame.
std::string Session::run_job() {
  RunAnswer outcome;
  try {
    outcome = call();
  } catch (const std::bad_alloc&) {
    outcome = answer::Failed{"the run needed more memory than it may use", "out_of_memory"};
  } catch (const std::exception& error) {
    outcome = answer::Failed{error.what()};
  } catch (...) {
    outcome = answer::Failed{"the handler threw a value that is not a std::exception"};
  }
  flush_progress();
  const std::string& run = job_->run;
  if (auto* done = std::get_if<answer::Completed>(&outcome)) {
    const Status good = json::check(done->result, kResultLimits);
    if (good) return completed_frame(run, *done);
    const bool large = good.error().code == Errc::kTooLarge;
    return failed_frame(
        run, {"the result cannot be sent: " + good.error().message, large ? "too_large" : "not_json"});
  }
  if (auto* bad = std::get_if<answer::Failed>(&outcome)) {
    if (cancelled()) bad->code = "interrupted";
    return failed_frame(run, *bad);
  }
  return snooze_frame(run, std::get<answer::Snooze>(outcome));
}

std::uint32_t Session::threads() const {
  return std::max(1U, job_->threads > 0 ? job_->threads : options_.threads);
}

std::uint64_t Session::memory_bytes() const {
  return job_->memory_bytes > 0 ? job_->memory_bytes : options_.memory_bytes;
}

std::string Session::cancel_message() const {
  const std::lock_guard lock(mutex_);
  return cancel_message_;
}

bool Session::wait(Duration time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stop_.stop_requested(); });
}

void Session::progress(std::string_view json) {
  if (!json::check(json, kResultLimits)) return;
  {
    const std::lock_guard lock(mutex_);
    progress_ = json::one_line(json);
    const Instant now = clock_.now();
    if (progress_sent_ && now - *progress_sent_ < kProgressInterval) return;
    progress_sent_ = now;
  }
  flush_progress();
}

void Session::flush_progress() {
  std::string value;
  {
    const std::lock_guard lock(mutex_);
    if (!progress_) return;
    value = *std::exchange(progress_, std::nullopt);
  }
  [[maybe_unused]] const auto sent = writer_.write(progress_frame(job_->run, value));
}

void Session::log(std::string_view line) {
  [[maybe_unused]] const auto sent = writer_.write(log_frame(job_->run, line));
}

}  // namespace gaur::runner_sdk
