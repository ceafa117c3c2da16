#include "duckdb/runner_loop.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/json_writer.hpp"
#include "base/system_env.hpp"
#include "duckdb/frames.hpp"
#include "duckdb/service.hpp"

namespace gaur::duckdb {
namespace {

constexpr int kFramesIn = 3;
constexpr int kFramesOut = 4;
constexpr const char* kCarriedVariable = "GAUR_DUCKDB_CARRIED";
constexpr std::chrono::milliseconds kStopGrace{1000};  // for a query that ignores interrupts

std::uint64_t number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

std::filesystem::path folder_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == '\0' ? std::filesystem::path() : std::filesystem::path(text);
}

std::string progress_frame(const std::string& run, double percent) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "progress").text("run", run).raw("value", fmt::format("{:g}", percent));
  });
}

std::string ready_frame(std::string_view version) {
  return json::object([&](json::ObjectWriter& frame) {
    frame.text("type", "ready")
        .number("protocol", 1)
        .text("name", fmt::format("gaur-duckdb (DuckDB {})", version));
  });
}

/// Frames from the reading thread to the running thread.
struct Inbox {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Frame> runs;     // guarded by mutex, as all members below
  std::deque<Frame> cancels;  // that arrived while runs waited here
  bool stopped = false;
  bool ended = false;
  int exit_code = 0;
  int wake = eventfd(0, EFD_CLOEXEC);  // readable: the reader ends between two frames
};

bool take_frame(Inbox& inbox, RunControl& control, Frame frame) {
  const auto type = json::text_or(frame.head, "type", "");
  if (type == "stop") return false;
  const std::lock_guard lock(inbox.mutex);
  if (type == "cancel") {
    control.cancel(json::text_or(frame.head, "run", ""),
                   json::text_or(frame.head, "message", json::text_or(frame.head, "reason", "cancel")));
    if (!inbox.runs.empty()) inbox.cancels.push_back(std::move(frame));
  } else if (type == "run") {
    inbox.runs.push_back(std::move(frame));
    inbox.changed.notify_all();
  }
  return true;
}

/// `carried`: a descriptor with the frames that this process read before it was renewed, or -1.
void read_all(Inbox& inbox, RunControl& control, int carried) {
  name_this_thread("gaur-frames");
  const auto each = [&](Frame frame) { return take_frame(inbox, control, std::move(frame)); };
  Result<ReadEnd> read = ReadEnd::kEndOfFile;
  if (carried >= 0) {
    read = read_frames(carried, inbox.wake, each);
    close(carried);
  }
  if (read && *read == ReadEnd::kEndOfFile) read = read_frames(kFramesIn, inbox.wake, each);
  if (read && *read == ReadEnd::kWoken) return;
  control.cancel_all("the runner is stopped");
  std::unique_lock lock(inbox.mutex);
  inbox.stopped = true;
  if (!read) {
    fmt::print(stderr, "gaur-duckdb: {}\n", read.error().message);
    inbox.exit_code = 1;
  }
  inbox.changed.notify_all();
  if (!inbox.changed.wait_for(lock, kStopGrace, [&] { return inbox.ended; })) _exit(inbox.exit_code);
}

/// Ends the reader between two frames and saves the frames that were read and not run for the renewed
/// program.
bool ready_to_renew(Inbox& inbox, std::thread& reader) {
  const std::uint64_t one = 1;
  if (write(inbox.wake, &one, sizeof one) != sizeof one) return false;
  {
    const std::lock_guard lock(inbox.mutex);
    inbox.ended = true;
    inbox.changed.notify_all();
  }
  reader.join();
  if (inbox.stopped) return false;
  unsetenv(kCarriedVariable);
  if (inbox.runs.empty()) return true;
  const int carried = memfd_create("gaur-frames", 0);
  if (carried < 0) return false;
  LineWriter keep(carried);
  for (auto* frames : {&inbox.cancels, &inbox.runs}) {
    for (const auto& frame : *frames) {
      if (!keep.write(frame.text)) return false;
    }
  }
  lseek(carried, 0, SEEK_SET);
  setenv(kCarriedVariable, std::to_string(carried).c_str(), 1);
  return true;
}

int carried_frames() {
  const char* descriptor = std::getenv(kCarriedVariable);
  return descriptor == nullptr ? -1 : static_cast<int>(std::strtol(descriptor, nullptr, 10));
}

}  // namespace

int run_runner(const Api& api, const Spec& spec, Clock& clock, const std::function<void()>& renew) {
  ServiceOptions options;
  options.scratch = folder_from("GAUR_TMP");
  options.out = folder_from("GAUR_OUT");
  options.threads =
      std::max<std::uint64_t>(1, number_from("GAUR_THREADS") != 0 ? number_from("GAUR_THREADS")
                                                                  : std::thread::hardware_concurrency());
  options.memory = number_from("GAUR_MEMORY");
  options.renewed = std::getenv(kRenewedVariable) != nullptr;

  LineWriter writer(kFramesOut);
  RunControl control(api, clock, [&](const std::string& run, double percent) {
    // the next outcome, or end of file on descriptor 3, shows that the reader is gone
    [[maybe_unused]] const auto sent = writer.write(progress_frame(run, percent));
  });
  Service service(api, spec, options, control);
  if (const auto warm = service.warm_up(); !warm) {
    fmt::print(stderr, "gaur-duckdb: {}\n", warm.error().message);
    return 1;
  }
  if (!options.renewed && !writer.write(ready_frame(api.version))) return 1;

  Inbox inbox;
  std::thread reader([&, carried = carried_frames()] { read_all(inbox, control, carried); });
  while (true) {
    std::unique_lock lock(inbox.mutex);
    inbox.changed.wait(lock, [&] { return inbox.stopped || !inbox.runs.empty(); });
    if (inbox.stopped) break;
    const auto frame = std::move(inbox.runs.front());
    inbox.runs.pop_front();
    lock.unlock();
    auto reply = service.run(frame);
    lock.lock();
    if (inbox.stopped) break;  // the stop determines the end of the run
    lock.unlock();
    if (!writer.write(std::move(reply.frame))) break;
    if (reply.leave) {
      service.abandon();
      _exit(0);  // the frame had `last`: Gaur sends nothing more
    }
    if (!reply.renew) continue;
    if (ready_to_renew(inbox, reader)) {
      service.abandon();
      renew();
      fmt::print(stderr, "gaur-duckdb: cannot start itself anew: {}\n", std::strerror(errno));
      _exit(1);
    }
    _exit(inbox.exit_code);  // stopped: closing DuckDB is not safe during a query
  }
  {
    const std::lock_guard lock(inbox.mutex);
    if (!inbox.stopped) _exit(1);  // Gaur is gone but descriptor 3 is open: the reader would block for ever
    inbox.ended = true;
  }
  inbox.changed.notify_all();
  reader.join();
  return inbox.exit_code;
}

}  // namespace gaur::duckdb
