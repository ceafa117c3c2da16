#pragma once
// One simulated host: worker, ledger, runners, clock and connection.
// Thread-safety: confined to one simulation.
#include <memory>

#include "admission/ledger.hpp"
#include "host_env.hpp"
#include "network.hpp"
#include "worker/worker.hpp"

namespace gaur::simulation {

/// A run on a simulated runner.
struct Run {
  JobRef job{};
  FunctionName function{};
  Instant since{};
  RunObserver* observer = nullptr;
  std::optional<StopReason> stopped{};
  /// It ends by itself only.
  bool ignores_stop = false;
};

class SimulatedRuns final : public RunHandler {
 public:
  SimulatedRuns(HostLoop& loop, const Clock& clock, SeededRandom& random, Mutant mutant)
      : loop_(loop), clock_(clock), random_(random), mutant_(mutant) {}

  void start(RunRequest request, RunObserver& observer) override;
  void stop(const LockToken& token, StopReason reason, std::string who, std::string why) override;
  /// The runner of a random run dies.
  void crash_one();
  const std::map<LockToken, Run>& running() const { return running_; }
  std::vector<std::string> violations;

 private:
  void end(const LockToken& token, RunEnd how);
  RunEnd random_end(const RunRequest& request);

  HostLoop& loop_;
  const Clock& clock_;
  SeededRandom& random_;
  const Mutant mutant_;
  std::map<LockToken, Run> running_;
};

/// Forwards to a ledger; the place of its mutants.
class MutatedLedger final : public Admission {
 public:
  MutatedLedger(Ledger& inner, Mutant mutant) : inner_(inner), mutant_(mutant) {}
  Booking book(const QueueName& queue, Instant now) override {
    Booking booking = inner_.book(queue, now);
    if (mutant_ == Mutant::kMaxRunningIgnored) {
      for (auto& [name, needs] : booking.filter.needs) needs.unavailable = false;
    }
    return booking;
  }
  void settle(std::uint64_t booking, const std::vector<Taken>& taken,
              const std::optional<BlockedHead>& blocked, Instant now) override {
    const bool forget = mutant_ == Mutant::kNotCharged && ++calls_ % 3 == 0;
    inner_.settle(booking, forget ? std::vector<Taken>{} : taken, blocked, now);
  }
  Grant grant(const LockToken& run) override { return inner_.grant(run); }
  void release(const LockToken& run, const Usage& usage, Instant now) override {
    if (mutant_ == Mutant::kReleaseLost && ++calls_ % 20 == 0) return;
    inner_.release(run, usage, now);
  }
  std::vector<QueueName> order() override { return inner_.order(); }
  void explain(WaitFacts& facts, Instant now) const override { inner_.explain(facts, now); }

 private:
  Ledger& inner_;
  const Mutant mutant_;
  std::uint64_t calls_ = 0;
};

struct HostPlan {
  std::string name;
  std::vector<QueueName> queues;
  /// One process with the store: nothing is lost, and long polls are used.
  bool embedded = false;
  /// Of its wall clock.
  Duration skew{0};
  Mutant mutant = Mutant::kNone;
};

class Host {
 public:
  Host(const HostPlan& plan, Transitions& store, ManualEnv& outside, const Faults& faults);
  /// kill -9: its runs end with it. What it sent may still arrive, so a killed host must outlive the
  /// simulation's loop.
  void kill();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Checks sums against the capacity.
  void check(std::vector<std::string>& violations);
  bool is_idle() const { return runs.running().empty(); }

  HostLoop loop;
  HostClock clock;
  Network network;
  SimulatedRuns runs;
  Ledger ledger;
  MutatedLedger admission;
  std::unique_ptr<Worker> worker;
  const Instant started;
};

LedgerOptions ledger_options(const std::vector<QueueName>& queues, bool embedded);
inline constexpr std::uint32_t kMostLimited = 2;

}  // namespace gaur::simulation
