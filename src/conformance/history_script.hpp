#pragma once
// Draws the operations of a history. What it knows of the stores (ids, runs in hand) it learned from the
// reference's replies, as a client would. Thread-safety: the test's thread.
#include <functional>
#include <map>
#include <set>

#include "base/manual_env.hpp"
#include "conformance/history_side.hpp"

namespace gaur::conformance {

/// An operation: `play` carries it out on one side and tells the reply as text.
struct Operation {
  std::string text;
  std::function<std::string(Side&)> play;
  bool crash = false;
};

class Script {
 public:
  explicit Script(std::uint64_t seed) : random_(seed) {}
  Operation next();
  /// Whether turns are parked; true unless told otherwise.
  void parks_turns(bool parks) { parks_ = parks; }

  /// What the reference answered.
  void learn(const AddRequest& request, const std::vector<Added>& added);
  void learn(const TakeRequest& turn, const TakeReply& reply);
  void forget_runs();

  static std::vector<QueueName> queues() { return {QueueName("qa"), QueueName("qb")}; }

 private:
  struct Run {
    QueueName queue;
    JobId id;
    LockToken token;
    std::string worker;
  };

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& any(const std::vector<T>& values) {
    return values[below(values.size())];
  }
  QueueName queue() { return below(3) < 2 ? QueueName("qa") : QueueName("qb"); }
  JobRef job();
  std::uint64_t number(const SessionName& session) { return ++numbers_[session]; }

  Operation add();
  NewJob new_job();
  Operation turn();
  Finish finish(const Run& run);
  Outcome outcome();
  AdmissionFilter admit();
  Operation send(TakeRequest turn, bool repeat);
  Operation repeat();
  Operation extend();
  Operation recover();
  Operation advance();
  Operation wake();
  Operation crash();
  Operation cancel();
  Operation retry();
  Operation promote();
  Operation remove();
  Operation edit();
  Operation administer();
  Operation ask();

  SeededRandom random_;
  bool parks_ = true;
  std::map<SessionName, std::uint64_t> numbers_;
  std::vector<JobRef> jobs_;
  std::vector<Run> runs_;
  std::optional<AddRequest> last_add_;
  std::map<SessionName, TakeRequest> last_turns_;
};

}  // namespace gaur::conformance
