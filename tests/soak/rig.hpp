#pragma once
// Store, ledger, handlers and worker of one process, put together as a host does it: most jobs run in this
// process, some in real runners below real keepers. Thread-safety: confined to one thread.
#include <filesystem>
#include <memory>
#include <string>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "embedded/embedded_store.hpp"
#include "redis/connect.hpp"
#include "runner/pools.hpp"
#include "soak/outcomes.hpp"
#include "worker/in_process.hpp"
#include "worker/worker.hpp"

namespace gaur::test {

inline const QueueName kSoakQueue("soak");

struct RigOptions {
  /// Of redis-server; 0: the embedded store.
  std::uint16_t redis_port = 0;
  /// Of the embedded store and of the runners.
  std::filesystem::path folder;
  std::string runner_program;
};

/// The job with this number: one in a hundred runs in a runner, one in 5 000 kills its runner at every start.
NewJob soak_job(std::uint64_t number);

/// Sends each run to the handler of its function.
class ByFunction final : public RunHandler {
 public:
  ByFunction(InProcess& here, Pools& runners) : here_(here), runners_(runners) {}
  void start(RunRequest request, RunObserver& observer) override;
  void stop(const LockToken& run, StopReason reason, std::string who, std::string why) override;

 private:
  InProcess& here_;
  Pools& runners_;
};

class Rig {
 public:
  Rig(const RigOptions& options, Outcomes& outcomes);
  /// Requeues what still runs, and closes everything.
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  Store& store() { return *store_; }
  /// SIGKILL for a runner with a job; false if there is none.
  bool kill_runner();
  WorkerCounters counters() const { return worker_->status().get().counters; }

 private:
  void open_store(const RigOptions& options);
  void make_handlers(const RigOptions& options);
  void make_worker(const RigOptions& options);

  Outcomes& outcomes_;
  SystemClock clock_;
  SystemRandom random_;
  ThreadLoop answers_{"soak-answers"}, loop_{"soak-loop"};
  Env env_{clock_, random_, loop_};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<InProcess> here_;
  std::unique_ptr<Pools> runners_;
  std::unique_ptr<ByFunction> handler_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace gaur::test
