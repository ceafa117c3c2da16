#include "conformance/case_context.hpp"

namespace gaur::conformance {

void CaseContext::advance(Duration by) {
  fixture.advance(by);
  // Any verb makes the store read its clock and end expired waits before it answers.
  (void)now(store().recover({.queue = QueueName("nothing-here")}));
}

std::vector<Added> CaseContext::add_all(std::vector<NewJob> jobs) {
  return must(store().add(request(std::move(jobs))));
}

JobId CaseContext::add(std::string name, JobOptions options, std::string data) {
  const auto added =
      add_all({{.name = std::move(name), .data = std::move(data), .options = std::move(options)}});
  return added.empty() ? JobId() : added.front().id;
}

TakeRequest CaseContext::take_request(std::uint32_t take) {
  return {.queue = queue,
          .op = {SessionName(worker), ++operations_[worker]},
          .take = take,
          .lock = Duration(30'000),
          .worker = worker};
}

std::vector<JobId> CaseContext::take_ids(std::uint32_t at_most) {
  std::vector<JobId> ids;
  for (const Taken& taken : take(at_most)) ids.push_back(taken.job.id);
  return ids;
}

Taken CaseContext::take_one() {
  auto taken = take(1);
  EXPECT_EQ(taken.size(), 1U) << "expected one job";
  return taken.empty() ? Taken{} : std::move(taken.front());
}

Result<FinishResult> CaseContext::finish(const Taken& taken, Outcome outcome, Retention keep) {
  return finish(taken.job.id, taken.token, std::move(outcome), keep);
}

Result<FinishResult> CaseContext::finish(const JobId& id, const LockToken& token, Outcome outcome,
                                         Retention keep) {
  TakeRequest one = take_request(0);
  one.finished.push_back({.id = id, .token = token, .outcome = std::move(outcome), .keep = keep});
  auto reply = send(std::move(one));
  if (reply.finished.size() != 1) return Error{Errc::kInternal, "a finish has no reply"};
  return reply.finished.front();
}

JobId CaseContext::finished(Outcome outcome, Retention keep) {
  JobId id = add();
  const Taken taken = take_one();
  EXPECT_EQ(taken.job.id, id) << "the queue must be empty";
  EXPECT_TRUE(finish(taken, std::move(outcome), keep));
  return id;
}

std::vector<JobId> CaseContext::ids(State state, bool newest_first) {
  std::vector<JobId> found;
  for (const Job& job :
       must(store().range({.queue = queue, .state = state, .limit = 1000, .newest_first = newest_first}))) {
    found.push_back(job.id);
  }
  return found;
}

std::vector<Event> CaseContext::events() {
  return must(store().events(queue, "", 10'000, Duration(0))).events;
}

std::string CaseContext::event_kinds(const JobId& id) {
  std::string kinds;
  for (const Event& event : events()) {
    if (event.id != id) continue;
    if (!kinds.empty()) kinds += ' ';
    kinds += to_string(event.kind);
  }
  return kinds;
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& theme :
       {adding_cases(), taking_cases(), admission_cases(), finding_cases(), finishing_cases(),
        retrying_cases(), delayed_cases(), lock_cases(), session_cases(), hand_off_cases(),
        cancelling_cases(), reading_cases(), pausing_cases(), event_cases(), data_cases(), removing_cases(),
        reopening_cases()}) {
    all.insert(all.end(), theme.begin(), theme.end());
  }
  return all;
}

AdmissionFilter host_filter() {
  constexpr std::uint64_t kGB = 1'000'000'000;
  AdmissionFilter filter{.free = {.cores = 4, .memory_bytes = 8 * kGB}};
  filter.needs[FunctionName("small")] = {.cores = 1, .memory_bytes = kGB};
  filter.needs[FunctionName("big")] = {.cores = 4, .memory_bytes = 6 * kGB};
  filter.needs[FunctionName("quick")] = {.cores = 1, .memory_bytes = kGB, .ends_before_head = true};
  filter.needs[FunctionName("shut")] = {.cores = 1, .memory_bytes = kGB, .unavailable = true};
  return filter;
}

namespace {

class CaseTest final : public testing::Test {
 public:
  CaseTest(Subject subject, Case which) : subject_(std::move(subject)), case_(std::move(which)) {}
  void TestBody() override {
    const auto fixture = subject_.open();
    CaseContext context(*fixture, subject_.semantics);
    for (const Capability capability : case_.needs) {
      if (!context.can(capability))
        GTEST_SKIP() << subject_.name << " lacks the capability: " << to_string(capability);
    }
    case_.check(context);
  }

 private:
  Subject subject_;
  Case case_;
};

}  // namespace

void register_conformance(const Subject& subject) {
  for (const Case& one : all_cases()) {
    const std::string suite = "Conformance/" + subject.name;
    const std::string name = std::string(one.theme) + "_" + one.name;
    testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [subject, one]() -> testing::Test* { return new CaseTest(subject, one); });
  }
}

}  // namespace gaur::conformance
