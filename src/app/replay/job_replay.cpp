#include "app/replay/job_replay.hpp"

#include <fmt/format.h>

#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "app/host/options_from_config.hpp"
#include "app/host/signals.hpp"
#include "base/system_env.hpp"
#include "base/try.hpp"
#include "core/human_text.hpp"
#include "http/paths.hpp"
#include "runner/pools.hpp"

namespace gaur::app {
namespace {

/// RunThe queue of ended runs. Thread-safety: internally locked.
class RunEnds final : public RunObserver {
 public:
  struct End {
    LockToken token;
    RunEnd end;
    Usage usage;
  };
  void on_progress(const LockToken&, std::string) override {}
  void on_log(const LockToken&, std::string) override {}
  void on_end(const LockToken& run, RunEnd end, Usage usage) override {
    const std::lock_guard lock(mutex_);
    ends_.push_back({run, std::move(end), std::move(usage)});
    arrived_.notify_one();
  }
  /// Blocks until a run ends; std::nullopt after interrupt().
  std::optional<End> next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return interrupted_ || !ends_.empty(); });
    if (interrupted_) return std::nullopt;
    End end = std::move(ends_.front());
    ends_.pop_front();
    return end;
  }
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    arrived_.notify_one();
  }
  bool interrupted() {
    const std::lock_guard lock(mutex_);
    return interrupted_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<End> ends_;
  bool interrupted_ = false;
};

struct Scratch {
  std::filesystem::path path;
  ~Scratch() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

// Members are built in this order and destroyed in reverse; each may use those above it.
struct JobReplay::Impl {
  Config config;
  Scratch scratch{};
  SystemClock clock{};
  SystemRandom random{};
  RunEnds ends{};
  /// Before any thread, so that only `watch` handles signals.
  Signals signals{};
  std::thread watch{};
  std::unique_ptr<ThreadLoop> loop{};
  std::unique_ptr<results::ResultStore> results{};
  std::unique_ptr<Pools> pools{};
  std::uint64_t runs = 0;

  LockToken start(const Job& job, const ReplayOptions& options);
};

JobReplay::JobReplay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

JobReplay::~JobReplay() {
  if (impl_->pools) impl_->pools->close().get();
  impl_->signals.notify();
  if (impl_->watch.joinable()) impl_->watch.join();
}

bool JobReplay::interrupted() const {
  return impl_->ends.interrupted();
}

Clock& JobReplay::clock() {
  return impl_->clock;
}

Result<std::unique_ptr<JobReplay>> JobReplay::open(const Settings& settings, const Config& config,
                                                   const Logger& log) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  std::string folder = (std::filesystem::temp_directory_path() / "gaur-replay-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr)
    return Error{Errc::kIo, fmt::format("cannot create a folder like {}", folder)};
  impl->scratch.path = folder;
  impl->config.data_folder = folder;
  GAUR_TRY(PoolsOptions options, pools_options(settings, impl->config));
  for (auto& [name, pool] : options.pools) pool.env["GAUR_SHADOW"] = "1";
  impl->results = std::make_unique<results::ResultStore>(
      impl->clock, results::ResultFolder::Options{.folder = impl->scratch.path / "results"});
  options.describe_file = [base = impl->config.base_path](const FunctionName&, const JobRef& job,
                                                          const ResultFile& file) {
    return results::info_of(file, http::result_path(job, base));
  };
  options.save_file = [results = impl->results.get()](results::SaveRequest request, results::OnSaved done) {
    results->save(std::move(request), std::move(done));
  };
  options.log = log;
  impl->watch = std::thread([replay = impl.get()] {
    if (replay->signals.wait() == Signals::Event::kStop) replay->ends.interrupt();
  });
  impl->loop = std::make_unique<ThreadLoop>("gaur-replay");
  impl->pools = std::make_unique<Pools>(Env{impl->clock, impl->random, *impl->loop}, std::move(options));
  impl->loop->post([pools = impl->pools.get()] { pools->open(); });
  return std::unique_ptr<JobReplay>(new JobReplay(std::move(impl)));  // the constructor is private
}

LockToken JobReplay::Impl::start(const Job& job, const ReplayOptions& options) {
  RunRequest request;
  request.taken.job = job;
  request.taken.job.state = State::kActive;
  request.taken.job.result.clear();
  request.taken.job.result_file.reset();
  request.taken.job.failure.reset();
  request.taken.job.attempts_made = 0;
  request.taken.job.attempts_started = 1;
  request.taken.job.processed_on = clock.wall();
  request.taken.token = LockToken(fmt::format("replay:{}:0", ++runs));
  request.taken.function = function_in(config, job);
  const auto function = config.functions.find(request.taken.function.value);
  request.grant = options.grant.value_or(configured_grant(config, request.taken.function.value));
  if (function != config.functions.end()) request.timeout = function->second.timeout;
  LockToken token = request.taken.token;
  loop->post([this, request = std::move(request)]() mutable { pools->start(std::move(request), ends); });
  return token;
}

std::vector<ReplayRun> JobReplay::run(const std::vector<Job>& jobs, const ReplayOptions& options) {
  std::map<LockToken, std::size_t> running;
  std::vector<ReplayRun> done;
  std::size_t next = 0;
  const auto may_start = [&] {
    return !impl_->ends.interrupted() && next < jobs.size() &&
           running.size() < std::max(1U, options.at_once) &&
           (!options.until || impl_->clock.now() < *options.until);
  };
  while (true) {
    while (may_start()) {
      running[impl_->start(jobs[next], options)] = next;
      ++next;
    }
    if (running.empty()) return done;
    std::optional<RunEnds::End> end = impl_->ends.next();
    if (!end) return done;
    done.push_back({running.at(end->token), std::move(end->end), std::move(end->usage)});
    running.erase(end->token);
    if (options.on_end) options.on_end(done.back());
  }
}

Grant configured_grant(const Config& config, const std::string& function) {
  Resources needs = config.slots.share;
  if (const auto found = config.functions.find(function); found != config.functions.end()) {
    needs.cores = found->second.cores.value_or(needs.cores);
    needs.memory_bytes = found->second.memory_bytes.value_or(needs.memory_bytes);
  }
  needs.cores = std::min(needs.cores, config.slots.capacity.cores);
  needs.memory_bytes = std::min(needs.memory_bytes, config.slots.capacity.memory_bytes);
  return {.threads = static_cast<std::uint32_t>(std::max(1.0, std::floor(needs.cores))),
          .memory_bytes = needs.memory_bytes};
}

FunctionName function_in(const Config& config, const Job& job) {
  const auto queue = config.queues.find(job.queue.value);
  return function_of(job.name, job.data, queue == config.queues.end() ? "" : queue->second.function_field);
}

std::string describe_end(const RunEnd& end) {
  if (std::holds_alternative<run::Completed>(end)) return "completed";
  if (const auto* failed = std::get_if<run::Failed>(&end))
    return fmt::format("failed: {} ({})", failed->failure.message, failed->failure.code);
  if (const auto* snooze = std::get_if<run::Snooze>(&end)) return "snoozed: " + snooze->why;
  if (const auto* timeout = std::get_if<run::TimedOut>(&end))
    return "timeout after " + human_duration(timeout->after);
  if (const auto* memory = std::get_if<run::OutOfMemory>(&end))
    return fmt::format("out of memory: {} of {}", human_bytes(memory->peak_bytes),
                       human_bytes(memory->bound_bytes));
  if (const auto* crashed = std::get_if<run::Crashed>(&end)) return "crashed: " + crashed->message;
  if (const auto* interrupted = std::get_if<run::Interrupted>(&end))
    return "interrupted: " + interrupted->why;
  return "cancelled";
}

}  // namespace gaur::app
