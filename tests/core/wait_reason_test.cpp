// The words of a wait: one row a reason, and which reason comes first where several hold.
#include "core/wait_reason.hpp"

#include <gtest/gtest.h>

namespace gaur {
namespace {

using namespace std::chrono_literals;
using Host = WaitFacts::Host;
constexpr std::uint64_t kGB = 1'000'000'000;
constexpr std::int64_t kNow = 1'795'000'000'000;  // 2026-11-18T11:06:40Z

WaitFacts job(State state = State::kWaiting) {
  return {.queue = QueueName("query"),
          .function = FunctionName("top"),
          .state = state,
          .now = from_ms(kNow),
          .position = Position{3, true},
          .needs = Needs{.cores = 2, .memory_bytes = 2 * kGB},
          .free = {.cores = 4, .memory_bytes = 8 * kGB}};
}

template <class Change>
WaitFacts with(Change change, WaitFacts facts = job()) {
  change(facts);
  return facts;
}

struct Row {
  const char* name;
  WaitFacts facts;
  std::optional<std::string> words;
};

std::vector<Row> queue_rows() {
  return {
      {"delayed", with([](auto& f) { f.due = from_ms(kNow + 300'500); }, job(State::kDelayed)),
       "delayed until 2026-11-18T11:11:40.500Z (in 5 min)"},
      {"delayed retry",
       with([](auto& f) { f.due = from_ms(kNow + 1'000), f.attempts_made = 1; }, job(State::kDelayed)),
       "attempt 2 is delayed until 2026-11-18T11:06:41.000Z (in 1 s)"},
      {"delay that has passed", with([](auto& f) { f.due = from_ms(kNow - 1); }, job(State::kDelayed)),
       "delayed until 2026-11-18T11:06:39.999Z, which has passed; the next recovery wakes it"},
      {"delayed in a paused queue",
       with([](auto& f) { f.due = from_ms(kNow + 1'000), f.paused = true; }, job(State::kDelayed)),
       "delayed until 2026-11-18T11:06:41.000Z (in 1 s)"},
      {"children", job(State::kWaitingChildren), "waits for its children"},
      {"paused", with([](auto& f) { f.paused = true; }),
       "the queue query is paused; resume it with POST /v1/queues/query/resume"},
      {"paused, a name that URLs encode",
       with([](auto& f) { f.paused = true, f.queue = QueueName("test/tx"); }),
       "the queue test/tx is paused; resume it with POST /v1/queues/test%2Ftx/resume"},
      {"paused before unserved", with([](auto& f) { f.paused = true, f.function_served = false; }),
       "the queue query is paused; resume it with POST /v1/queues/query/resume"},
      {"quiet", with([](auto& f) { f.host = Host::kQuiet; }), "this host is quiet and takes no jobs"},
      {"stopping", with([](auto& f) { f.host = Host::kStopping; }),
       "this host is stopping and takes no jobs"},
      {"recovers only", with([](auto& f) { f.host = Host::kRecoversOnly; }),
       "this host only recovers stalled jobs and takes none; other workers do"},
      {"producer", with([](auto& f) { f.host = Host::kProducer; }),
       "waits behind 3 jobs; this process takes no jobs, ask a host that does"},
      {"unserved queue", with([](auto& f) { f.queue_served = false; }),
       "no worker of this host serves the queue query"},
      {"refused queue", with([](auto& f) { f.refused = "it is mixed", f.function_served = false; }),
       "this host takes no jobs from the queue query: it is mixed"},
  };
}

std::vector<Row> job_rows() {
  const WaitFacts::Head head{JobId("17"), FunctionName("big"), QueueName("query"),
                             Needs{.cores = 6, .memory_bytes = 6 * kGB}, 3s};
  return {
      {"unserved function", with([](auto& f) { f.function_served = false; }),
       "no runner of this host serves the function top"},
      {"broken pool",
       with([](auto& f) { f.unavailable = "the runners of pool sql cannot start", f.retry_in = 4s; }),
       "the runners of pool sql cannot start; next try in 4 s"},
      {"broken pool, now", with([](auto& f) { f.unavailable = "cannot start", f.retry_in = Duration(-3); }),
       "cannot start; next try now"},
      {"broken pool, unknown when", with([](auto& f) { f.unavailable = "cannot start"; }), "cannot start"},
      {"max_running", with([](auto& f) { f.running = f.max_running = 3; }),
       "3 of at most 3 of top are running"},
      {"below max_running", with([](auto& f) { f.running = 2, f.max_running = 3; }), "waits behind 3 jobs"},
      {"full store", with([](auto& f) { f.store_full = true, f.limited_for = 250ms; }),
       "the disk of the store is full: no job is taken until there is space for its result"},
      {"rate limit", with([](auto& f) { f.limited_for = 250ms; }),
       "the rate limit of the queue query is reached; the next start is in 250 ms"},
      {"rate limit before resources", with([](auto& f) { f.limited_for = 1s, f.free = {}; }),
       "the rate limit of the queue query is reached; the next start is in 1 s"},
      {"cores", with([](auto& f) { f.free.cores = 1; }),
       "needs 2 cores and 2.0 GB; 1 core and 8.0 GB are free"},
      {"memory", with([](auto& f) { f.free.memory_bytes = kGB; }),
       "needs 2 cores and 2.0 GB; 4 cores and 1.0 GB are free"},
      {"behind a head", with([&](auto& f) { f.head = head; }),
       "waits behind job 17 (big) of queue query, which needs 6 cores and 6.0 GB and has waited 3 s for "
       "them; 4 "
       "cores and 8.0 GB are free"},
      {"behind one", with([](auto& f) {
         f.position = Position{1, true};
       }),
       "waits behind 1 job"},
      {"behind about", with([](auto& f) {
         f.position = Position{4'321, false};
       }),
       "waits behind about 4321 jobs"},
      {"next", with([](auto& f) {
         f.position = Position{0, true};
       }),
       "next in line: no job waits before it"},
      {"prioritized", job(State::kPrioritized), "waits behind 3 jobs"},
      {"active", job(State::kActive), std::nullopt},
      {"completed", job(State::kCompleted), std::nullopt},
      {"nothing known", with([](auto& f) { f.position.reset(); }), std::nullopt},
  };
}

TEST(WaitReason, NamesEachCauseInOneSentence) {
  for (const auto& rows : {queue_rows(), job_rows()}) {
    for (const Row& row : rows) EXPECT_EQ(wait_reason(row.facts), row.words) << row.name;
  }
}

}  // namespace
}  // namespace gaur
