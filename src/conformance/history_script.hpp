#pragma once
// Generates the operations of a history. Like a client, it learns job ids and runs from replies: those of the
// reference store. Thread-safety: confined to the test's thread.
#include <functional>
#include <map>
#include <set>

#include "base/manual_env.hpp"
#include "conformance/history_side.hpp"

namespace gaur::conformance {

/// An operation. `run` executes it on one side and returns the reply as text.
struct Operation {
  std::string text;
  std::function<std::string(Side&)> run;
  bool crash = false;
};

class Script {
 public:
  explicit Script(std::uint64_t seed) : random_(seed) {}
  Operation next();
  /// Whether take requests may be long polls. Default: true.
  void use_long_polls(bool parks) { long_polls_ = parks; }

  /// The replies of the reference store.
  void learn(const AddRequest& request, const std::vector<Added>& added);
  void learn(const TakeRequest& request, const TakeReply& reply);
  void forget_some_runs();

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
  std::uint64_t next_sequence(const SessionName& session) { return ++sequences_[session]; }

  Operation add();
  NewJob new_job();
  Operation take();
  Finish finish(const Run& run);
  Outcome outcome();
  AdmissionFilter random_filter();
  Operation send(TakeRequest request, bool repeat);
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
  Operation read();

  SeededRandom random_;
  bool long_polls_ = true;
  std::map<SessionName, std::uint64_t> sequences_;
  std::vector<JobRef> jobs_;
  std::vector<Run> runs_;
  std::optional<AddRequest> last_add_;
  std::map<SessionName, TakeRequest> last_takes_;
};

}  // namespace gaur::conformance
