#pragma once
// One of the two stores of a history: its rig, its checker, its parked turns, and what is read of its events.
// Thread-safety: the test's thread.
#include <list>
#include <map>

#include "conformance/capability_mask.hpp"
#include "conformance/checker.hpp"
#include "conformance/show.hpp"
#include "conformance/store_fixture.hpp"

namespace gaur::conformance {

struct LongPoll {
  TakeRequest turn;
  Pending<TakeReply> reply;
  bool again = false;  ///< a repeat: its parts were followed when the first was sent
};
using Answer = std::pair<TakeRequest, Result<TakeReply>>;

class Side {
 public:
  explicit Side(std::unique_ptr<StoreFixture> rig) : rig_(std::move(rig)) {}

  /// From now on it is seen as by a store of these capabilities and semantics.
  void look_through(Capabilities can, const Semantics& semantics) {
    lens_ = std::make_unique<CapabilityMask>(*rig_, can, semantics);
    checker.hears_events(can.has(Capability::kEventLog));
    checker.reopening_spares_lost(semantics.expired_locks_are_forgotten);
  }
  Store& store() { return lens_ ? static_cast<Store&>(*lens_) : rig_->store(); }
  StoreFixture& rig() { return *rig_; }
  Time wall() { return rig_->clock().wall(); }
  template <class T>
  Result<T> now(Async<T> future) {
    return await(*rig_, std::move(future));
  }

  /// The next turn of a lane ends its parked turn first: its answer is followed before that of the next.
  void end_parked_of(const TakeRequest& next);
  /// Follows the answers of parked turns that came since, those of `expected` for certain.
  void collect(const std::vector<OperationId>& expected);
  /// What was collected since the last call, as text, and of which operations.
  std::string answers_as_text();
  std::vector<OperationId> answered() const;
  void forget_answers() { answers_.clear(); }

  /// Reads the events of a queue since the last time and gives them to the checker.
  std::string read_events(const QueueName& queue);
  std::string look(const QueueName& queue);
  void check_parked();

  Checker checker;
  bool teaches = false;  ///< the script learns from its replies
  std::function<void(const TakeRequest&, const TakeReply&)> on_reply;
  std::list<LongPoll> parked;

 private:
  void follow(std::list<LongPoll>::iterator parked);

  std::unique_ptr<StoreFixture> rig_;
  std::unique_ptr<CapabilityMask> lens_;
  std::vector<Answer> answers_;
  std::map<QueueName, std::string> cursors_;
};

}  // namespace gaur::conformance
