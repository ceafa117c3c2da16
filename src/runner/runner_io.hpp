#pragma once
// The I/O thread of SystemProcessHost: it spawns keepers, moves frames over pipes, samples memory, and posts
// events to the loop. Thread-safety: post(), with() and the constructor from any thread; all other methods on
// the I/O thread.
#include <sys/epoll.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/system_env.hpp"
#include "runner/child.hpp"
#include "runner/scratch_meter.hpp"
#include "runner/system_process_host.hpp"

namespace gaur {

class RunnerIo {
 public:
  RunnerIo(Executor& loop, ProcessHostOptions options);
  /// Ends every runner and joins the thread.
  ~RunnerIo();

  void post(std::function<void()> task);
  /// Runs `task` on the I/O thread if the runner still exists.
  void with(RunnerId id, std::function<void(Child&)> task);

  void set_events(std::weak_ptr<ProcessEvents> events) { events_ = std::move(events); }
  void empty_folder(const std::filesystem::path& folder);
  void release_scratch(RunnerId id, std::filesystem::path scratch);
  void start(SpawnSpec spec);
  void run(Child& child, const std::string& frame, std::uint64_t memory_bytes);
  void send(Child& child, const std::string& frame);
  void close_input(Child& child);
  void empty_out(Child& child);
  void command(Child& child, keeper::Command command);

 private:
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

  // The event loop (runner_io.cpp)
  void watch(int fd, std::uint32_t events, RunnerId id, Source source);
  void unwatch(Fd& fd);
  void run_loop();
  void poll_once(int timeout_ms);
  void run_posted();
  void on_ready(Child& child, Source source);
  void flush(Child& child);
  void sample(Child& child);
  void measure_scratch(Instant now);
  void on_timer();
  void set_timer();
  ThreadLoop& cleaner();
  void remove(std::filesystem::path folder);
  void end_all();

  // What a job leaves behind (runner_io_clean.cpp)
  void note_tmp(Child& child);
  void clean_after_run(Child& child, bool has_file);
  void on_cleaned(Child& child, const keeper::Report& report);
  void remove_new_files(Child& child);
  void remove_files(Child& child, const char* part, const std::set<std::string>& kept);
  void remove_many_files(Child& child, Fd folder, const std::set<std::string>& kept);
  void end_cleaning(Child& child);
  void report_unclean(Child& child, std::string what);

  // Limits (runner_io_clean.cpp)
  void prepare_cgroups();
  void make_cgroup(SpawnSpec& spec);
  void remove_cgroup(std::filesystem::path cgroup);
  void sample_others(Child& child);

  // Reading from runners and keepers (runner_io_read.cpp)
  bool read_frames(Child& child);
  void handle_frame(Child& child, std::string_view line);
  void report_broken_frame(Child& child, std::string what);
  void resume_paused();
  bool read_output(Child& child, Fd& fd, OutputLines& lines, const char* stream);
  void report_dropped_output(Child& child);
  void read_report(Child& child);
  void on_ended(Child& child, const keeper::Report& report);
  void report_exit(Child& child);
  void on_keeper_ended(Child& child);

  /// Calls `call` with the listener, on the loop.
  template <class Call>
  void post_event(Call call) {
    loop_.post([events = events_, call = std::move(call)]() mutable {
      if (const auto listener = events.lock()) call(*listener);
    });
  }

  Executor& loop_;
  ProcessHostOptions options_;
  SystemClock clock_;
  Fd epoll_, wake_, timer_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_; the I/O thread owns all members below

  /// Nothing: this process has no delegated cgroup.
  std::optional<Cgroups> cgroups_;
  std::weak_ptr<ProcessEvents> events_;
  std::map<RunnerId, std::unique_ptr<Child>> children_;
  std::unique_ptr<ThreadLoop> cleaner_;
  ScratchMeter scratch_;
  bool stopping_ = false, any_paused_ = false;
  /// The timer runs at the interval of idle runners.
  bool samples_rarely_ = false;
  /// Interval of the timer in units of 0.1 s; 0: it is off.
  int pace_ = 0;
  int ticks_ = 0;
  /// Makes the names of removed entries unique.
  std::uint64_t removed_ = 0;
  std::thread thread_;
};

}  // namespace gaur
