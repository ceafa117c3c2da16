#pragma once
// The ProcessHost with real processes: one thread over pipes and pidfds. The thread spawns every keeper (and
// must outlive the runners: PDEATHSIG fires when the spawning thread ends), moves frames, measures runs, and
// posts events to the loop.
#include <memory>

#include "base/env.hpp"
#include "base/log.hpp"
#include "runner/cgroups.hpp"
#include "runner/process_host.hpp"

namespace gaur {

class RunnerIo;

struct ProcessHostOptions {
  std::filesystem::path keeper_program = "/proc/self/exe";
  CgroupPaths cgroups{};
  /// For lines that runners write to stdout and stderr.
  Logger log{};
  /// Longer lines are truncated.
  std::size_t output_line_bytes = 16 << 10;
  /// Reading from a runner pauses while the loop has so many bytes of its frames left to handle.
  std::size_t backlog_bytes = std::size_t{16} << 20;
};

/// Thread-safety: any thread.
class SystemProcessHost final : public ProcessHost {
 public:
  SystemProcessHost(Executor& loop, ProcessHostOptions options);
  /// Ends every runner, waits until all process trees are dead (at most 3 s), and joins the thread. Reports
  /// no event afterwards.
  ~SystemProcessHost() override;

  void listen(std::weak_ptr<ProcessEvents> events) override;
  void empty_folder(std::filesystem::path folder) override;
  void start(SpawnSpec spec) override;
  void run(RunnerId id, std::string frame, std::uint64_t memory_bytes) override;
  void send(RunnerId id, std::string frame) override;
  void close_input(RunnerId id) override;
  void empty_out(RunnerId id) override;
  void terminate(RunnerId id) override;
  void kill(RunnerId id) override;
  void release_scratch(RunnerId id, std::filesystem::path scratch) override;

 private:
  std::unique_ptr<RunnerIo> io_;
};

}  // namespace gaur
