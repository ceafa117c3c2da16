#pragma once
// What a conformance case works with: a queue, a worker with its session, and the verbs in short form.
// A verb that fails unexpectedly fails the case. Thread-safety: confined to the test's thread.
#include <gtest/gtest.h>

#include "conformance/store_fixture.hpp"

namespace gaur {

/// Lets GoogleTest print ids, names and tokens.
template <class Tag>
void PrintTo(const Name<Tag>& name, std::ostream* out) {
  *out << '"' << name.value << '"';
}

namespace conformance {

class CaseContext {
 public:
  explicit CaseContext(StoreFixture& the_fixture, Semantics the_semantics)
      : fixture(the_fixture), semantics(the_semantics) {}

  StoreFixture& fixture;
  const Semantics semantics;
  const QueueName queue{"query"};

  Store& store() { return fixture.store(); }
  bool can(Capability capability) { return store().capabilities().has(capability); }
  template <class T>
  Result<T> now(Async<T> future) {
    return await(fixture, std::move(future));
  }
  template <class T>
  Pending<T> later(Async<T> future) {
    return Pending<T>(fixture, std::move(future));
  }
  /// The value. An error fails the case and returns a default value.
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

  /// Moves the clock and lets the store end expired waits.
  void advance(Duration by);

  std::vector<Added> add_all(std::vector<NewJob> jobs);
  JobId add(std::string name = "job", JobOptions options = {}, std::string data = "{}");
  AddRequest request(std::vector<NewJob> jobs) { return {.queue = queue, .jobs = std::move(jobs)}; }
  JobRef ref(const JobId& id) const { return {queue, id}; }
  /// Times of result files have whole seconds.
  static ResultFileInfo result_file() {
    return {.url = "/v1/queues/q/jobs/1/result",
            .format = "csv",
            .bytes = 12,
            .rows = 3,
            .expires_at = from_ms(1'795'338'000'000)};
  }

  /// The worker's next take request.
  TakeRequest take_request(std::uint32_t take);
  TakeReply send(TakeRequest request) { return must(store().finish_and_take(std::move(request))); }
  TakeReply take_filtered(std::uint32_t at_most, const AdmissionFilter& filter) {
    TakeRequest next = take_request(at_most);
    next.filter = filter;
    return send(std::move(next));
  }
  std::vector<Taken> take(std::uint32_t at_most) { return send(take_request(at_most)).taken; }
  std::vector<JobId> take_ids(std::uint32_t at_most);
  Taken take_one();
  Result<FinishResult> finish(const Taken& taken, Outcome outcome, Retention keep = {});
  Result<FinishResult> finish(const JobId& id, const LockToken& token, Outcome outcome, Retention keep = {});
  /// Adds a job, takes it and finishes it.
  JobId finished(Outcome outcome, Retention keep = {});

  // The expected value without the fields that the store cannot record.
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
  /// The kinds of a job's events in order, for example "added active completed".
  std::string event_kinds(const JobId& id);

  std::string worker = "worker-1";

 private:
  std::map<std::string, std::uint64_t> operations_;  // by worker: each has a session
};

/// A property that every store must have.
struct Case {
  const char* theme;
  /// States the property, for example "TakesInOrderOfAdding".
  const char* name;
  void (*check)(CaseContext&);
  std::vector<Capability> needs = {};
};

// The cases of each theme: one function for each file.
std::vector<Case> adding_cases();
std::vector<Case> taking_cases();
std::vector<Case> admission_cases();
std::vector<Case> finding_cases();
std::vector<Case> finishing_cases();
std::vector<Case> retrying_cases();
std::vector<Case> delayed_cases();
std::vector<Case> lock_cases();
std::vector<Case> session_cases();
std::vector<Case> hand_off_cases();
std::vector<Case> cancelling_cases();
std::vector<Case> reading_cases();
std::vector<Case> pausing_cases();
std::vector<Case> event_cases();
std::vector<Case> data_cases();
std::vector<Case> removing_cases();
std::vector<Case> reopening_cases();

std::vector<Case> all_cases();

/// Free: 4 cores and 8 GB. Functions: "small" (1 core, 1 GB), "big" (4 cores, 6 GB), "quick" (as small, ends
/// before any head), "shut" (unavailable). Others are not served.
AdmissionFilter host_filter();

/// Registers every case as a GoogleTest "Conformance/<store>.<Theme>_<Name>". Call it before RUN_ALL_TESTS().
/// A case is skipped, with the reason, if the store lacks a capability that it needs.
void register_conformance(const Subject& subject);

}  // namespace conformance
}  // namespace gaur
