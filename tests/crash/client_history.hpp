#pragma once
// What the clients of the killed store know over all kills: which adds and finishes were acknowledged and
// which have an unknown outcome. check() compares it with the store (invariants I1 to I13 of
// conformance/checker.hpp, I4: every job ends). Thread-safety: confined to the test's thread.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::crash {

class ClientHistory {
 public:
  /// Reads one line of the driver.
  void read_line(const std::string& line);
  /// The driver was killed: operations without a reply have an unknown outcome.
  void driver_killed();

  std::size_t adds_in_flight() const { return adds_.size(); }
  std::size_t finishes_in_flight() const;
  const std::string& driver_error() const { return driver_error_; }

  /// Compares the store's jobs with the known operations. Afterwards the outcome of every finish is known.
  void check(const std::map<State, std::vector<Job>>& jobs);
  /// Adds without a reply. The test repeats them and expects a reply.
  std::vector<AddRequest> unknown_adds() const;
  void sent_again(const AddRequest& request, const std::vector<Added>& reply);
  /// The tokens of runs that were active when the driver was killed. The store must reject them.
  std::vector<std::pair<JobId, LockToken>> dead_runs() const;
  void forget_dead_runs() { dead_runs_.clear(); }

  void removed(const JobId& id);
  /// A job that the test added.
  void added(const JobId& id, const std::string& data);

  std::vector<std::string> take_violations();
  std::uint64_t acknowledged_adds = 0, acknowledged_finishes = 0, unknown_executed = 0, unknown_lost = 0;

 private:
  struct Known {
    std::string data;
    /// Token of the accepted finish that ended it.
    std::optional<std::string> terminal;
    State terminal_state = State::kCompleted;
    std::uint32_t reported_starts = 0;
    /// Finishes of unknown outcome: token -> kind.
    std::map<std::string, char> maybe;
  };
  struct Finishing {
    std::string id, token;
    char kind = 'c';
  };
  using Op = std::pair<std::string, std::uint64_t>;

  void violation(std::string text) { violations_.push_back(std::move(text)); }
  void learn_added(const AddRequest& request, const std::vector<std::string>& ids);
  void learn_finished(const Finishing& finish, const std::string& state);
  void check_job(const Job& job);
  void check_terminal(const Job& job, Known& known);

  std::map<std::string, Known> jobs_;                                // by id
  std::set<Op> adds_;                                                // in flight
  std::set<Op> lost_adds_;                                           // of killed drivers
  std::map<Op, std::optional<Finishing>> takes_;                     // in flight
  std::map<std::string, std::pair<std::string, std::string>> held_;  // session -> its active run
  std::vector<std::pair<std::string, std::string>> dead_runs_;
  std::vector<std::string> violations_;
  std::string driver_error_;
};

}  // namespace gaur::crash
