#pragma once
// Hides fields that the store under test cannot record, so that a history can compare it with the model.
// Thread-safety: the test's thread.
#include "conformance/store_fixture.hpp"
#include "core/forwarding_store.hpp"

namespace gaur::conformance {

class CapabilityMask final : public ForwardingStore {
 public:
  /// `fixture` outlives the mask. Its store is looked up at every call, since reopening replaces it.
  CapabilityMask(StoreFixture& fixture, Capabilities capabilities, Semantics semantics)
      : fixture_(fixture), capabilities_(capabilities), semantics_(semantics) {}

  Capabilities capabilities() const override { return capabilities_; }
  Schedulers* schedulers() override { return nullptr; }

  Async<TakeReply> finish_and_take(TakeRequest request) override;
  Async<Job> get(JobRef job) override;
  Async<std::vector<Job>> range(RangeRequest request) override;
  Async<EventPage> events(QueueName queue, std::string cursor, std::uint32_t limit,
                          Duration at_most) override;

 private:
  Store& inner() const override { return fixture_.store(); }

  StoreFixture& fixture_;
  const Capabilities capabilities_;
  const Semantics semantics_;
};

}  // namespace gaur::conformance
