#pragma once
// The hands of a conformance case: one queue, a worker with its lane, and the verbs in short form.
// A verb that must succeed and does not is a failure of the case. Thread-safety: the test's thread.
#include <gtest/gtest.h>

#include "conformance/store_fixture.hpp"

namespace gaur {

/// How GoogleTest shows ids, names and tokens.
template <class Tag>
void PrintTo(const Name<Tag>& name, std::ostream* out) {
  *out << '"' << name.value << '"';
}

namespace conformance {

class CaseContext {
 public:
  explicit CaseContext(StoreFixture& the_rig, Semantics the_semantics)
      : rig(the_rig), semantics(the_semantics) {}

  StoreFixture& rig;
  const Semantics semantics;
  const QueueName queue{"query"};

  Store& store() { return rig.store(); }
  bool can(Capability capability) { return store().capabilities().has(capability); }
  template <class T>
  Result<T> now(Async<T> future) {
    return await(rig, std::move(future));
  }
  template <class T>
  Pending<T> later(Async<T> future) {
    return Pending<T>(rig, std::move(future));
  }
  /// The value, or a failure of the case and a default.
  template <class T>
  T must(Async<T> future) {
    auto result = now(std::move(future));
    EXPECT_TRUE(result) << to_string(result.error().code) << ": " << result.error().message;
    return result ? *std::move(result) : T{};
  }
  template <class T>
  Errc error(Async<T> future) {
    auto result = now(std::move(future));
    EXPECT_FALSE(result) << "an error was expected";
    return result ? Errc::kInternal : result.error().code;
  }

  /// The store sees the new time: whatever it does at once is done when this returns.
  void advance(Duration by);

  std::vector<Added> add_all(std::vector<NewJob> jobs);
  JobId add(std::string name = "job", JobOptions options = {}, std::string data = "{}");
  AddRequest request(std::vector<NewJob> jobs) { return {.queue = queue, .jobs = std::move(jobs)}; }
  JobRef ref(const JobId& id) const { return {queue, id}; }

  /// The worker's next turn.
  TakeRequest turn(std::uint32_t take);
  TakeReply play(TakeRequest turn) { return must(store().finish_and_take(std::move(turn))); }
  TakeReply take_by_needs(std::uint32_t at_most, const AdmissionFilter& admit) {
    TakeRequest next = turn(at_most);
    next.filter = admit;
    return play(std::move(next));
  }
  std::vector<Taken> take(std::uint32_t at_most) { return play(turn(at_most)).taken; }
  std::vector<JobId> take_ids(std::uint32_t at_most);
  Taken take_one();
  Result<FinishResult> finish(const Taken& taken, Outcome outcome, Retention keep = {});
  Result<FinishResult> finish(const JobId& id, const LockToken& token, Outcome outcome, Retention keep = {});
  /// Adds a job, takes it and ends it.
  JobId finished(Outcome outcome, Retention keep = {});

  /// What a store without kFailureCode, kProcessedBy or kEventLog cannot tell is left out of a comparison.
  Failure known(Failure failure) {
    if (!can(Capability::kFailureCode)) failure.code = "error", failure.details.clear();
    return failure;
  }
  Job known(Job job) {
    if (!can(Capability::kProcessedBy)) job.processed_by.clear();
    return job;
  }

  Job job(const JobId& id) { return must(store().get(ref(id))); }
  State state(const JobId& id) { return must(store().state(ref(id))); }
  bool exists(const JobId& id) { return now(store().get(ref(id))).has_value(); }
  Counts counts() { return must(store().counts(queue)); }
  std::vector<JobId> ids(State state, bool newest_first = false);
  std::vector<Event> events();
  /// "added active completed": the kinds of the events of one job, in order.
  std::string story(const JobId& id);

  std::string worker = "worker-1";

 private:
  std::map<std::string, std::uint64_t> operations_;  // by worker: each is a lane
};

/// One property that every store must have.
struct Case {
  const char* theme;
  const char* name;  ///< a sentence
  void (*check)(CaseContext&);
  std::vector<Capability> needs = {};
};

/// The cases of each theme, one function a file.
std::vector<Case> adding_cases();
std::vector<Case> taking_cases();
std::vector<Case> admitting_cases();
std::vector<Case> finding_cases();
std::vector<Case> finishing_cases();
std::vector<Case> retrying_cases();
std::vector<Case> delayed_cases();
std::vector<Case> lock_cases();
std::vector<Case> lane_cases();
std::vector<Case> hand_off_cases();
std::vector<Case> cancelling_cases();
std::vector<Case> looking_cases();
std::vector<Case> pausing_cases();
std::vector<Case> event_cases();
std::vector<Case> data_cases();
std::vector<Case> removing_cases();
std::vector<Case> reopening_cases();

std::vector<Case> all_cases();

/// Registers every case as a GoogleTest "Conformance/<store>.<Theme>_<Name>". Call it before RUN_ALL_TESTS().
/// A case whose capability the store lacks is registered too, and skips by that name.
void register_conformance(const Subject& subject);

}  // namespace conformance
}  // namespace gaur
