#include "runner/pools.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <unordered_map>

#include "runner/planned_runs.hpp"
#include "runner/pool.hpp"
#include "runner/spawn.hpp"
#include "runner/system_process_host.hpp"

extern char** environ;

namespace gaur {

/// All state. Closures of the process host and of timers have weak references to it: those that run after its
/// destruction do nothing.
class Pools::Core : public ProcessEvents, public std::enable_shared_from_this<Core> {
 public:
  Core(Env env, PoolsOptions options, std::unique_ptr<ProcessHost> processes)
      : env_(env),
        options_(std::move(options)),
        planned_([this](const std::string& pool, RunRequest request, RunObserver& observer) {
          start_on(pool, std::move(request), observer);
        }),
        processes_(std::move(processes)) {}

  void make_pools() {
    for (auto& [name, options] : options_.pools) {
      pools_.emplace(name, std::make_unique<Pool>(name, options, context_of(name, options)));
    }
    processes_->listen(weak_from_this());
  }

  void open() {
    processes_->empty_folder(options_.run_folder);
    for (auto& [name, pool] : pools_) pool->open();
  }

  void close(Promise<Unit> done) {
    closed_.push_back(std::move(done));
    for (auto& [name, pool] : pools_) pool->close();
    resolve_if_closed();
  }

  void start(RunRequest request, RunObserver& observer) {
    const auto function = options_.functions.find(request.taken.function);
    const auto planner = options_.planners.find(request.taken.function);
    if (function == options_.functions.end()) return start_on("", std::move(request), observer);
    if (planner == options_.planners.end()) return start_on(function->second, std::move(request), observer);
    planned_.start({planner->second, function->second}, std::move(request), observer);
  }

  void start_on(const std::string& name, RunRequest request, RunObserver& observer) {
    const auto pool = pools_.find(name);
    if (pool == pools_.end()) {
      Failure failure;
      failure.code = "unknown_function";
      failure.message =
          fmt::format("no pool of this host runs the function '{}'", request.taken.function.value);
      return observer.on_end(request.taken.token, run::Failed{std::move(failure), true}, {});
    }
    runs_[request.taken.token] = pool->second.get();
    pool->second->start(std::move(request), observer);
  }

  void stop(const LockToken& run, StopReason reason, std::string who, std::string why) {
    const auto found = runs_.find(run);
    if (found != runs_.end()) found->second->stop(run, reason, std::move(who), std::move(why));
  }

  void on_started(RunnerId id, std::int64_t pid) override {
    if (Pool* pool = pool_of(id)) pool->on_started(id, pid);
  }
  void on_frame(RunnerId id, RunnerFrame frame, RunFigures figures) override {
    if (Pool* pool = pool_of(id)) pool->on_frame(id, std::move(frame), figures);
  }
  void on_broken_frame(RunnerId id, std::string what) override {
    if (Pool* pool = pool_of(id)) pool->on_broken_frame(id, what);
  }
  void on_unclean(RunnerId id, std::string what) override {
    if (Pool* pool = pool_of(id)) pool->on_unclean(id, what);
  }
  void on_memory(RunnerId id, std::uint64_t bytes) override {
    if (Pool* pool = pool_of(id)) pool->on_memory(id, bytes);
  }
  void on_scratch(const ScratchSizes& sizes, Instant since) override {
    std::uint64_t sum = 0;
    for (const auto& [id, bytes] : sizes) {
      Pool* pool = pool_of(id);
      if (pool == nullptr) continue;
      pool->on_scratch(id, bytes, since);
      sum += pool->counted_scratch(id);
    }
    if (options_.max_scratch == 0 || sum <= options_.max_scratch) return;
    Pool* of_most = nullptr;
    RunnerId most = 0;
    for (const auto& [id, bytes] : sizes) {
      Pool* pool = pool_of(id);
      if (pool == nullptr || pool->counted_scratch(id) <= (of_most ? of_most->counted_scratch(most) : 0))
        continue;
      of_most = pool;
      most = id;
    }
    if (of_most != nullptr) of_most->on_host_scratch(most, sum, options_.max_scratch);
  }
  void on_exit(RunnerId id, RunnerExit exit) override {
    if (Pool* pool = pool_of(id)) pool->on_exit(id, std::move(exit));
    resolve_if_closed();
  }

  Env& env() { return env_; }
  const std::map<std::string, std::unique_ptr<Pool>>& pools() const { return pools_; }
  const Pool* pool(const LockToken& run) const {
    const auto found = runs_.find(run);
    return found == runs_.end() ? nullptr : found->second;
  }
  std::optional<std::string> broken(const std::string& pool) const {
    const auto found = pools_.find(pool);
    return found == pools_.end() ? std::nullopt : found->second->broken();
  }
  std::uint64_t idle_memory() const {
    std::uint64_t sum = 0;
    for (const auto& [name, pool] : pools_) sum += pool->idle_memory();
    return sum;
  }

 private:
  PoolContext context_of(const std::string& name, const PoolOptions& options) {
    PoolContext context{env_, *processes_};
    context.limits = options_.limits;
    context.result_bytes = &options_.result_bytes;
    if (options_.save_file)
      context.save_file = [this](results::SaveRequest request, results::OnSaved done) {
        options_.save_file(std::move(request), back_on_loop(std::move(done)));
      };
    context.describe_file = options_.describe_file;
    context.log = options_.log;
    context.run_folder = options_.run_folder;
    context.measures_scratch = options.max_scratch > 0 || options_.max_scratch > 0;
    context.server_pid = ::getpid();
    context.environment = passed_environment(options.pass_env, environ);
    context.next_id = [this] { return ++last_id_; };
    context.on_runner = [this, name](RunnerId id, bool alive) {
      if (alive) {
        owners_[id] = pools_.at(name).get();
      } else {
        owners_.erase(id);
      }
    };
    context.on_run_ended = [this](const LockToken& run) { runs_.erase(run); };
    context.on_broken = [this, name](bool, const std::string&) { report_broken(name); };
    context.on_idle_memory = [this] { report_idle_memory(); };
    context.after = [this](Duration wait, std::function<void()> task) {
      return after(wait, std::move(task));
    };
    return context;
  }

  /// A planned function is open while both of its pools work.
  void report_broken(const std::string& name) {
    if (!options_.on_closed) return;
    for (const auto& [function, pool] : options_.functions) {
      const auto planner = options_.planners.find(function);
      const bool planned = planner != options_.planners.end();
      if (pool != name && !(planned && planner->second == name)) continue;
      auto why = broken(pool);
      if (!why && planned) why = broken(planner->second);
      options_.on_closed(function, why.has_value(), why.value_or(""));
    }
  }

  /// Wraps `done` for any thread: it runs on the loop, unless the pools were destroyed.
  results::OnSaved back_on_loop(results::OnSaved done) {
    return [&loop = env_.loop, core = weak_from_this(), done = std::move(done)](Result<ResultFile> saved) {
      loop.post([core, done, saved = std::move(saved)] {
        if (const auto alive = core.lock()) {
          done(saved);
          alive->resolve_if_closed();
        }
      });
    };
  }

  Loop::TimerId after(Duration wait, std::function<void()> task) {
    return env_.loop.post_at(env_.clock.now() + wait, [core = weak_from_this(), task = std::move(task)] {
      if (const auto alive = core.lock()) task();
    });
  }

  Pool* pool_of(RunnerId id) {
    const auto found = owners_.find(id);
    return found == owners_.end() ? nullptr : found->second;
  }

  void report_idle_memory() {
    constexpr std::uint64_t kStep = 1'000'000;
    const std::uint64_t now = idle_memory();
    const std::uint64_t change = now > idle_reported_ ? now - idle_reported_ : idle_reported_ - now;
    if (!options_.on_idle_memory || change < kStep) return;
    idle_reported_ = now;
    options_.on_idle_memory(now);
  }

  void resolve_if_closed() {
    if (closed_.empty()) return;
    for (const auto& [name, pool] : pools_) {
      if (!pool->empty()) return;
    }
    for (const auto& promise : std::exchange(closed_, {})) promise.set(Unit{});
  }

  Env env_;
  PoolsOptions options_;
  PlannedRuns planned_;
  std::map<std::string, std::unique_ptr<Pool>> pools_;
  std::unordered_map<RunnerId, Pool*> owners_;
  std::unordered_map<LockToken, Pool*> runs_;
  std::vector<Promise<Unit>> closed_;
  RunnerId last_id_ = 0;
  std::uint64_t idle_reported_ = 0;
  std::unique_ptr<ProcessHost> processes_;  // last member: its thread ends before the others are destroyed
};

namespace {

std::unique_ptr<ProcessHost> make_process_host(Env env, const PoolsOptions& options) {
  ProcessHostOptions host;
  host.keeper_program = options.keeper_program;
  host.log = options.log;
  host.cgroups = options.cgroups;
  return std::make_unique<SystemProcessHost>(env.loop, std::move(host));
}

}  // namespace

Pools::Pools(Env env, PoolsOptions options) : Pools(env, options, make_process_host(env, options)) {}

Pools::Pools(Env env, PoolsOptions options, std::unique_ptr<ProcessHost> processes)
    : core_(std::make_shared<Core>(env, std::move(options), std::move(processes))) {
  core_->make_pools();
}

Pools::~Pools() = default;

void Pools::open() {
  core_->open();
}

Future<Unit> Pools::close() {
  Promise<Unit> done;
  core_->env().loop.post([core = core_, done] { core->close(done); });
  return done.future();
}

void Pools::start(RunRequest request, RunObserver& observer) {
  core_->start(std::move(request), observer);
}

void Pools::stop(const LockToken& run, StopReason reason, std::string who, std::string why) {
  core_->stop(run, reason, std::move(who), std::move(why));
}

std::vector<PoolStatus> Pools::status() const {
  std::vector<PoolStatus> all;
  for (const auto& [name, pool] : core_->pools()) all.push_back(pool->status());
  return all;
}

std::vector<RunnerStatus> Pools::runners(const std::string& pool) const {
  const auto found = core_->pools().find(pool);
  return found == core_->pools().end() ? std::vector<RunnerStatus>() : found->second->runners();
}

std::int64_t Pools::pid_of(const LockToken& run) const {
  const Pool* pool = core_->pool(run);
  return pool == nullptr ? 0 : pool->pid_of(run);
}

std::optional<std::string> Pools::broken(const std::string& pool) const {
  return core_->broken(pool);
}

std::optional<Instant> Pools::next_start(const std::string& pool) const {
  const auto found = core_->pools().find(pool);
  return found == core_->pools().end() ? std::nullopt : found->second->next_start();
}

std::uint64_t Pools::idle_memory() const {
  return core_->idle_memory();
}

}  // namespace gaur
