#pragma once
// Shell with real processes: one thread over pipes and pidfds. It spawns every keeper (so it must live as
// long as the runners: PDEATHSIG fires when the spawning thread ends), moves frames, measures runs, and posts
// what happens to the loop.
#include <memory>

#include "base/env.hpp"
#include "base/log.hpp"
#include "runner/shell.hpp"

namespace gaur {

struct ProcessShellOptions {
  std::filesystem::path keeper_program = "/proc/self/exe";
  Logger log;                                ///< lines that runners write to stdout and stderr
  std::size_t output_line_bytes = 16 << 10;  ///< longer ones are cut
  /// A runner whose frames the loop has not handled yet up to so many bytes is not read from.
  std::size_t backlog_bytes = std::size_t{16} << 20;
};

/// Thread-safety: any thread.
class ProcessShell final : public Shell {
 public:
  ProcessShell(Executor& loop, ProcessShellOptions options);
  /// Ends every runner, waits until all below is dead (at most 3 s), joins the thread. No event comes after
  /// it.
  ~ProcessShell() override;

  void listen(std::weak_ptr<ShellEvents> events) override;
  void empty_folder(std::filesystem::path folder) override;
  void start(SpawnSpec spec) override;
  void run(RunnerId id, std::string frame, std::uint64_t memory_bytes) override;
  void send(RunnerId id, std::string frame) override;
  void close_input(RunnerId id) override;
  void terminate(RunnerId id) override;
  void kill(RunnerId id) override;
  void release_scratch(RunnerId id, std::filesystem::path scratch) override;

 private:
  class Io;
  std::unique_ptr<Io> io_;
};

}  // namespace gaur
