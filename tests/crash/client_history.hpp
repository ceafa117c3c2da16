#pragma once
// What the clients of the killed store know, over all kills: which adds and finishes were acknowledged, which
// are unknown; and what that demands of the store, as invariants I1 to I6. Thread-safety: the test's thread.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/store.hpp"

namespace gaur::crash {

class ClientHistory {
 public:
  /// One line of the driver.
  void heard(const std::string& line);
  /// The driver is dead: what has no answer is unknown.
  void died();

  std::size_t adds_in_flight() const { return adds_.size(); }
  std::size_t finishes_in_flight() const;
  const std::string& driver_error() const { return driver_error_; }

  /// Holds the store's jobs against all that is known. After it, what was unknown about finishes is known.
  void check(const std::map<State, std::vector<Job>>& jobs);
  /// Adds whose answer is missing: they are to be sent again, and answered.
  std::vector<AddRequest> unknown_adds() const;
  void sent_again(const AddRequest& request, const std::vector<Added>& reply);
  /// The tokens of runs that were not finished when the driver died: none may finish any more.
  std::vector<std::pair<JobId, LockToken>> dead_runs() const;
  void forget_dead_runs() { dead_runs_.clear(); }

  void removed(const JobId& id);
  /// Jobs added by the test itself.
  void added(const JobId& id, const std::string& data);

  std::vector<std::string> take_violations();
  std::uint64_t adds_told = 0, finishes_told = 0, unknown_carried_out = 0, unknown_lost = 0;

 private:
  struct Known {
    std::string data;
    std::optional<std::string> terminal;  ///< token of the accepted finish that ended it
    State terminal_state = State::kCompleted;
    std::uint32_t starts_told = 0;
    std::map<std::string, char> maybe;  ///< finishes with unknown outcome: token -> kind
  };
  struct Finishing {
    std::string id, token;
    char kind = 'c';
  };
  using Op = std::pair<std::string, std::uint64_t>;

  void violation(std::string text) { violations_.push_back(std::move(text)); }
  void learn_added(const AddRequest& request, const std::vector<std::string>& ids);
  void learn_finished(const Finishing& finish, const std::string& moved);
  void check_job(const Job& job);
  void check_terminal(const Job& job, Known& known);

  std::map<std::string, Known> jobs_;                                // by id
  std::set<Op> adds_;                                                // in flight
  std::set<Op> lost_adds_;                                           // of a driver that died
  std::map<Op, std::optional<Finishing>> turns_;                     // in flight
  std::map<std::string, std::pair<std::string, std::string>> held_;  // lane -> run that it was told of
  std::vector<std::pair<std::string, std::string>> dead_runs_;
  std::vector<std::string> violations_;
  std::string driver_error_;
};

}  // namespace gaur::crash
