#pragma once
// The parts of a simulation, for simulation.cpp (operations and faults) and simulation_checks.cpp.
// Thread-safety: confined to one thread.
#include <map>
#include <memory>
#include <optional>

#include "host.hpp"
#include "mutated_store.hpp"
#include "observer.hpp"
#include "simulation.hpp"

namespace gaur::simulation {

/// After so long without a fault everything must be as if there had been none: a lock has expired, and its
/// job was recovered.
inline constexpr Duration kSettled{45'000};
/// Time passes in steps of at most this.
inline constexpr Duration kTick{500};

class Simulation {
 public:
  explicit Simulation(const Plan& plan);
  Outcome run();

 private:
  using Key = Observer::Key;

  // Operations.
  void operate();
  void add();
  void resend_adds();
  void edit();
  void administer();
  void host_fault();
  void network_fault();
  void store_fault();
  void jump();
  void disk_fault();
  std::optional<JobId> own_id();
  void pass(Duration time);

  // Hosts.
  void start_host(std::size_t index);
  void kill_host(std::size_t index);
  void heal();
  void end_storm();

  // Checks.
  void check();
  void check_progress();
  void check_runs();
  void check_recovered(const Key& key, const CurrentRun& run);
  void check_end();
  void finish();
  void report(std::string text) { violations_.push_back(std::move(text)); }
  /// No fault lasts, and none occurred for this time.
  bool is_calm(Duration time) const;
  bool settled() const { return is_calm(kSettled); }
  void fault() { last_fault_ = env_.clock.now(); }
  Host* host_of(const std::string& worker);

  std::uint64_t below(std::uint64_t bound) { return env_.random.below(bound); }
  bool one_in(std::uint64_t chance) { return below(chance) == 0; }
  Duration up_to(Duration most) {
    return Duration(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most.count())) + 1));
  }
  const QueueName& queue() { return queues_[below(queues_.size())]; }
  std::optional<JobRef> any_job();
  void log(std::string text);
  void log_hosts();

  const Plan plan_;
  const bool embedded_;
  ManualEnv env_;
  const std::vector<QueueName> queues_{QueueName("first"), QueueName("second")};
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<MutatedStore> mutated_;
  std::unique_ptr<Observer> store_;
  std::vector<HostPlan> host_plans_;
  /// Empty while a host is down.
  std::vector<std::unique_ptr<Host>> hosts_;
  /// Their messages may still arrive.
  std::vector<std::unique_ptr<Host>> killed_;
  HostLoop producer_loop_{env_.loop};
  std::unique_ptr<Network> producer_;
  struct PendingAdd {
    AddRequest request;
    bool in_flight = false;
  };
  std::map<std::uint64_t, PendingAdd> pending_adds_;  // by number of the session
  Instant last_fault_ = env_.clock.now();
  bool storm_ = false;
  std::optional<Instant> idle_since_;
  std::map<LockToken, Instant> stale_since_, without_run_since_;
  std::map<std::pair<Key, LockToken>, Instant> cancelled_;
  std::vector<std::string> violations_;
  std::uint64_t trace_ = 0xCBF29CE484222325ULL;
  std::uint32_t operation_ = 0;
  std::uint64_t added_ = 0;
};

}  // namespace gaur::simulation
