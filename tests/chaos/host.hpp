#pragma once
// A host over a Bull queue for the fault tests: client, store, ledger, in-process handler, worker, put
// together as `gaur work` does it, with everything at its default unless the test says otherwise.
// Thread-safety: seen() and the counters from any thread; the rest belongs to the test's thread.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "admission/ledger.hpp"
#include "base/system_env.hpp"
#include "bull/bull_store.hpp"
#include "redis/connect.hpp"
#include "worker/in_process.hpp"
#include "worker/worker.hpp"

namespace gaur::test {

/// The system's clock with a wall clock that is set wrong.
class WrongClock final : public Clock {
 public:
  explicit WrongClock(Duration ahead) : ahead_(ahead) {}
  Instant now() const override { return clock_.now(); }
  Time wall() const override { return clock_.wall() + ahead_; }

 private:
  SystemClock clock_;
  Duration ahead_;
};

struct ChaosHostOptions {
  std::string name = "host";
  /// Of Redis, or of a proxy before it.
  std::uint16_t port = 0;
  std::string queue = "query";
  std::uint32_t concurrency = 10;
  /// How long a run takes.
  Duration work{2};
  Duration clock_ahead{0};
  redis::ClientOptions redis{};
  bull::BullOptions bull{};
  WorkerOptions worker{};
  /// Called in the handler before it works: job id and start number.
  std::function<void(const Job&)> on_run{};
};

class ChaosHost {
 public:
  explicit ChaosHost(ChaosHostOptions options);
  ~ChaosHost();

  Store& store() { return *store_; }
  redis::Client& client() { return *client_; }
  WorkerCounters counters() const { return worker_->status().get().counters; }
  void start() { worker_->start(); }
  void stop() { (void)worker_->stop(Duration{5'000}).get(); }

  /// How often each job's completion was accepted, and how often anything of it was run.
  std::map<std::string, int> completed() const {
    std::lock_guard lock(mutex_);
    return completed_;
  }
  std::map<std::string, int> failed() const {
    std::lock_guard lock(mutex_);
    return failed_;
  }
  std::map<std::string, int> runs() const {
    std::lock_guard lock(mutex_);
    return runs_;
  }
  std::size_t completions() const { return completions_; }
  std::string notes() const {
    std::lock_guard lock(mutex_);
    return notes_;
  }

 private:
  Handler handler();

  ChaosHostOptions options_;
  WrongClock clock_{options_.clock_ahead};
  SystemRandom random_;
  ThreadLoop answers_{"chaos-answers"};
  ThreadLoop loop_{"chaos-loop"};
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Ledger> ledger_;
  mutable std::mutex mutex_;  // guards the maps and notes_
  std::map<std::string, int> completed_, failed_, runs_;
  std::string notes_;
  std::atomic<std::size_t> completions_{0};
  std::unique_ptr<InProcess> handler_;
  std::unique_ptr<Worker> worker_;
};

/// A producer with its own session. It repeats an add until it gets a reply; the ids that it returns are
/// acknowledged.
class Producer {
 public:
  Producer(Store& store, std::string queue, std::string session,
           NewJob job = {.name = "work", .data = R"({"func":"work","userId":7})"})
      : store_(store), queue_(std::move(queue)), session_(std::move(session)), job_(std::move(job)) {}
  /// The ids, or nothing where `patience` ended first.
  std::vector<std::string> add(std::size_t count, Duration delay = Duration{0},
                               Duration patience = Duration{60'000});
  std::uint64_t repeats() const { return repeats_; }

 private:
  Store& store_;
  const QueueName queue_;
  const SessionName session_;
  const NewJob job_;
  std::uint64_t number_ = 0, repeats_ = 0;
  SystemClock clock_;
};

/// Until it is true; false: not within `patience`.
bool wait_until(const std::function<bool()>& condition, Duration patience = Duration{30'000});
/// Blocks for as long as it says: the time that a fault lasts, not a wait for something.
void let_pass(Duration time);
/// GAUR_LONG=1: the sizes of the issue instead of those of every test run.
bool long_forms();

}  // namespace gaur::test
