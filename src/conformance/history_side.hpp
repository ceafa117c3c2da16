#pragma once
// One of the two stores of a history: its fixture, its checker, its open long polls, and the cursors of its
// events. Thread-safety: confined to the test's thread.
#include <list>
#include <map>

#include "conformance/capability_mask.hpp"
#include "conformance/checker.hpp"
#include "conformance/show.hpp"
#include "conformance/store_fixture.hpp"

namespace gaur::conformance {

struct LongPoll {
  TakeRequest request;
  Pending<TakeReply> reply;
  /// A repeat: the checker and the script ignore its reply.
  bool again = false;
};
using Answer = std::pair<TakeRequest, Result<TakeReply>>;

class Side {
 public:
  explicit Side(std::unique_ptr<StoreFixture> fixture) : fixture_(std::move(fixture)) {}

  /// Hides what a store of these capabilities and semantics cannot record.
  void set_mask(Capabilities can, const Semantics& semantics) {
    mask_ = std::make_unique<CapabilityMask>(*fixture_, can, semantics);
    checker.has_event_log(can.has(Capability::kEventLog));
    checker.unlocked_stay_active_on_reopen(semantics.expired_locks_are_forgotten);
  }
  Store& store() { return mask_ ? static_cast<Store&>(*mask_) : fixture_->store(); }
  StoreFixture& fixture() { return *fixture_; }
  Time wall() { return fixture_->clock().wall(); }
  template <class T>
  Result<T> now(Async<T> future) {
    return await(*fixture_, std::move(future));
  }

  /// Handles the replies of the long polls that the next request of their session ended.
  void end_long_polls_of(const TakeRequest& next);
  /// Handles the replies of long polls that arrived; waits for those of `expected`.
  void collect(const std::vector<OperationId>& expected);
  /// The handled replies since forget_answers(): as text, and their operations.
  std::string answers_as_text();
  std::vector<OperationId> answered() const;
  void forget_answers() { answers_.clear(); }

  /// Reads the new events of a queue and passes them to the checker.
  std::string read_events(const QueueName& queue);
  std::string snapshot_text(const QueueName& queue);
  void check_long_polls();

  Checker checker;
  /// The script learns from its replies.
  bool updates_script = false;
  std::function<void(const TakeRequest&, const TakeReply&)> on_take_reply;
  std::list<LongPoll> long_polls;

 private:
  void handle_reply(std::list<LongPoll>::iterator poll);

  std::unique_ptr<StoreFixture> fixture_;
  std::unique_ptr<CapabilityMask> mask_;
  std::vector<Answer> answers_;
  std::map<QueueName, std::string> cursors_;
};

}  // namespace gaur::conformance
