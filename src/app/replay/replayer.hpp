#pragma once
// Runs jobs through the configured pools without any store: nothing is taken, finished or published. What
// runs is the user's own functions, so what they do elsewhere is done; their runners see GAUR_SHADOW=1.
// Thread-safety: confined to one thread, which it blocks.
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "app/config/config.hpp"
#include "base/env.hpp"
#include "base/log.hpp"
#include "core/run.hpp"

namespace gaur::app {

struct ReplayRun {
  std::size_t job = 0;  ///< its place in the list that was given
  RunEnd end{};
  Usage usage{};
};

struct ReplayOptions {
  std::uint32_t at_once = 1;
  std::optional<Grant> grant{};    ///< nothing: what the function's needs say, else a slot's share
  std::optional<Instant> until{};  ///< nothing more is started then; what runs is waited for
  std::function<void(const ReplayRun&)> told{};  ///< after each, on the caller's thread
};

class Replayer {
 public:
  /// Starts runners of all pools in a scratch folder of its own, removed with the object. TERM and INT end
  /// its runs from now on instead of the process, so that this happens then as well: open it before any
  /// other thread. Errors: kIo.
  static Result<std::unique_ptr<Replayer>> open(const Settings& settings, const Config& config,
                                                const Logger& log);
  ~Replayer();
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  /// Runs them in this order; answers those that ran, in the order of their ends. A job whose function is not
  /// configured ends failed.
  std::vector<ReplayRun> run(const std::vector<Job>& jobs, const ReplayOptions& options);
  /// TERM or INT came: what ran was not waited for, and nothing more is run.
  bool interrupted() const;
  /// Wall clock and monotonic clock of this run, for deadlines.
  Clock& clock();

 private:
  struct Impl;
  explicit Replayer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a run of this function is granted by the configuration alone.
Grant configured_grant(const Config& config, const std::string& function);
/// The function that a job of this queue asks for, by the queue's configuration; of an unknown queue, its
/// name.
FunctionName function_in(const Config& config, const Job& job);
/// "completed", or the way in which it did not: "failed: no such table (Catalog Error)".
std::string end_in_words(const RunEnd& end);

}  // namespace gaur::app
