// Thousands of virtual jobs from one seed: worker, ledger and model store together. Every step checks the
// sums against the capacity.
#include <gmock/gmock.h>

#include "flaky_store.hpp"
#include "harness.hpp"

namespace gaur {
namespace {

/// Checks the ledger every few milliseconds.
class Watch {
 public:
  explicit Watch(World& world) : world_(world) {}
  void look() {
    const LedgerStatus now = world_.ledger->status(world_.env.clock.now());
    Resources used;
    double threads_allowed =
        now.capacity.cores;  // and one for each run that was configured to need less than a core
    for (const auto& [token, seen] : world_.runs.running) {
      const auto needs = world_.ledger->needs_of(seen.request.taken.function);
      used.cores += needs ? needs->cores : world_.ledger_options.capacity.cores / world_.ledger_options.slots;
      if (needs && needs->cores < 1) threads_allowed += 1 - needs->cores;
      used.memory_bytes += needs ? needs->memory_bytes
                                 : world_.ledger_options.capacity.memory_bytes / world_.ledger_options.slots;
    }
    const Resources& capacity = now.capacity;
    EXPECT_LE(now.granted.cores + now.booked.cores, capacity.cores + 1e-6);
    EXPECT_LE(now.granted.memory_bytes + now.booked.memory_bytes, capacity.memory_bytes);
    EXPECT_LE(used.cores, capacity.cores + 1e-6) << "needs of the active runs";
    EXPECT_LE(used.memory_bytes, capacity.memory_bytes);
    EXPECT_LE(static_cast<double>(now.threads), threads_allowed + 1e-6);
    ++samples_;
  }
  void pass(Duration time, Duration step = milliseconds(5)) {
    for (Duration passed{0}; passed < time; passed += step) {
      world_.pass(step);
      look();
    }
  }
  std::size_t samples() const { return samples_; }

 private:
  World& world_;
  std::size_t samples_ = 0;
};

const FunctionName kSmall{"small"}, kLong{"long"}, kBig{"big"};

void mixed_machine(World& world) {
  world.ledger_options.functions[kSmall] = {.cores = 1, .memory_bytes = kGB};
  world.ledger_options.functions[kLong] = {.cores = 1, .memory_bytes = kGB};
  world.ledger_options.functions[kBig] = {.cores = 4, .memory_bytes = 6 * kGB};
  world.runs.script = [&world](const RunRequest& request) {
    const std::string& function = request.taken.function.value;
    if (function == "big") return Script{.takes = seconds(2)};
    if (function == "long") return Script{.takes = seconds(8)};
    return Script{.takes = Duration(100 + static_cast<std::int64_t>(world.env.random.below(400)))};
  };
}

/// Keeps small jobs waiting.
void feed(World& world, const QueueName& queue = kQueue) {
  while (world.counts(queue)[State::kWaiting] < 30) world.add("small", {}, queue);
}

struct LargeJob {
  Duration waited{0};
  /// Small jobs that started while it waited.
  std::size_t backfilled = 0;
};

/// Adds a large job in front and keeps small ones waiting behind it until it starts.
LargeJob wait_for_big(World& world, Watch& watch, const QueueName& small = kQueue) {
  const Instant added = world.env.clock.now();
  world.add("big", {.lifo = true});
  LargeJob result;
  const std::size_t before = world.runs.started.size();
  while (world.runs.running_of("big") == 0 && world.env.clock.now() - added < seconds(60)) {
    feed(world, small);
    watch.pass(milliseconds(20));
  }
  result.waited = std::chrono::duration_cast<Duration>(world.env.clock.now() - added);
  for (std::size_t i = before; i < world.runs.started.size(); ++i) {
    result.backfilled += world.runs.started[i].request.taken.function == kSmall ? 1 : 0;
  }
  return result;
}

TEST(Simulation, StartsLargeJobInTimeAndBackfillsSmallOnes) {
  World world(3);
  mixed_machine(world);
  world.start();
  Watch watch(world);
  for (int i = 0; i < 6; ++i) world.add("long");  // so that their usual duration is known
  for (int i = 0; i < 500; ++i) {
    feed(world);
    watch.pass(milliseconds(100));
  }
  std::size_t backfilled = 0;
  for (int round = 0; round < 10; ++round) {
    world.add("long", {.lifo = true});
    watch.pass(milliseconds(600));  // it holds a core for 8 s
    const LargeJob big = wait_for_big(world, watch);
    EXPECT_LT(big.waited, seconds(30));
    EXPECT_LT(big.waited, seconds(12)) << "it starts when the long job ends";
    backfilled += big.backfilled;
    watch.pass(seconds(4));
  }
  EXPECT_GT(backfilled, 10U * 20U) << "three cores were free for most of 8 s each time";
  EXPECT_GT(watch.samples(), 10'000U);
}

TEST(Simulation, StartsLargeJobInTimeWithoutStatistics) {
  World world(4);
  mixed_machine(world);
  world.start();
  Watch watch(world);
  feed(world);
  watch.pass(milliseconds(50));
  EXPECT_LT(wait_for_big(world, watch).waited, seconds(1)) << "runs of unknown duration are not backfilled";
}

TEST(Simulation, DoesNotStarveLargeJobOfAnotherQueue) {
  World world(5);
  mixed_machine(world);
  const QueueName other{"other"};
  world.ledger_options.queues.push_back({.name = other, .weight = 50});
  world.worker_options.queues.push_back(other);
  world.start();
  Watch watch(world);
  for (int i = 0; i < 100; ++i) {
    feed(world, other);
    watch.pass(milliseconds(100));
  }
  for (int round = 0; round < 5; ++round) {
    const LargeJob big = wait_for_big(world, watch, other);
    EXPECT_LT(big.waited, seconds(30));
    for (int i = 0; i < 30; ++i) {
      feed(world, other);
      watch.pass(milliseconds(100));
    }
  }
}

// ---- random histories -----------------------------------------------------------------------------

RunEnd random_end(SeededRandom& random) {
  switch (random.below(12)) {
    case 0: return run::Failed{{.message = "no"}, false};
    case 1: return run::Failed{{.message = "never"}, true};
    case 2: return run::Snooze{Duration(static_cast<std::int64_t>(random.below(3'000))), "not yet"};
    case 3: return run::TimedOut{seconds(1)};
    case 4: return run::OutOfMemory{1, 2};
    case 5: return run::Crashed{11, 0, ""};
    case 6: return run::Interrupted{"recycled"};
    default: return run::Completed{"1"};
  }
}

class RandomHistory : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static void one_step(World& world, const std::vector<QueueName>& queues, std::vector<JobRef>& jobs) {
    SeededRandom& random = world.env.random;
    const QueueName queue = queues[random.below(queues.size())];
    const std::uint64_t what = random.below(20);
    if (what < 15) {
      JobOptions options;
      options.attempts = static_cast<std::uint32_t>(random.below(4));
      options.backoff.delay = Duration(static_cast<std::int64_t>(random.below(500)));
      if (random.below(5) == 0) options.delay = Duration(static_cast<std::int64_t>(random.below(4'000)));
      options.priority = random.below(6) == 0 ? static_cast<std::uint32_t>(random.below(5)) : 0;
      options.lifo = random.below(10) == 0;
      if (random.below(10) == 0)
        options.queue_timeout = Duration(static_cast<std::int64_t>(random.below(5'000)) + 1);
      const char* functions[] = {"small", "small", "small", "long", "big", "limited"};
      jobs.push_back({queue, world.add(functions[random.below(6)], options, queue)});
    } else if (what == 15) {
      (void)world.await(world.store.pause(queue));
    } else if (what < 18) {
      (void)world.await(world.store.resume(queue));
    } else if (what == 18 && !jobs.empty()) {
      (void)world.await(world.store.cancel(jobs[random.below(jobs.size())], "sim", ""));
    } else if (random.below(20) == 0) {
      world.store.crash_and_reopen();
    }
  }
};

TEST_P(RandomHistory, LosesNoJobAndStaysWithinCapacity) {
  World world(GetParam());
  mixed_machine(world);
  world.ledger_options.functions[FunctionName("limited")] = {
      .cores = 0.5, .memory_bytes = kGB / 2, .max_running = 2};
  world.runs.script = [&world](const RunRequest& request) {
    SeededRandom& random = world.env.random;
    const std::int64_t longest = request.taken.function == kLong ? 1'000 : 100;
    const Duration takes(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(longest))));
    const Duration ends_after_stop(random.below(10) == 0 ? -1 : static_cast<std::int64_t>(random.below(50)));
    return Script{.takes = takes, .end = random_end(random), .ends_after_stop = ends_after_stop};
  };
  const std::vector<QueueName> queues{kQueue, QueueName("other"), QueueName("third")};
  world.ledger_options.queues = {{.name = queues[0]},
                                 {.name = queues[1], .order = QueueOrder::kFifo, .weight = 2},
                                 {.name = queues[2], .max_head_wait = seconds(3)}};
  world.worker_options.queues = queues;
  world.worker_options.lock = seconds(2);
  FlakyStore line(world.store, world.env, GetParam());
  if (GetParam() % 2 == 0) {
    line.lost_requests = line.lost_replies = 5;
    line.latest = milliseconds(10);
    world.worker_options.hand_off = false;
    world.ledger_options.takes_in_flight = 2;
  }
  world.transitions = &line;
  world.start();
  Watch watch(world);
  std::vector<JobRef> jobs;
  for (int i = 0; i < 700; ++i) {
    one_step(world, queues, jobs);
    watch.pass(Duration(static_cast<std::int64_t>(world.env.random.below(80))));
    EXPECT_LE(world.runs.running_of("limited"), 2U);
  }
  for (const QueueName& queue : queues) (void)world.await(world.store.resume(queue));
  for (int i = 0; i < 3'000 && !::testing::Test::HasFailure(); ++i) {
    watch.pass(milliseconds(100));
    std::uint64_t open = 0;
    for (const QueueName& queue : queues) {
      const Counts counts = world.counts(queue);
      open += counts.ready() + counts[State::kDelayed] + counts[State::kActive];
    }
    if (open == 0) break;
  }
  for (const JobRef& ref : jobs) {
    const State state = world.value(world.store.state(ref));
    EXPECT_TRUE(state == State::kCompleted || state == State::kFailed)
        << ref.id.value << " is " << to_string(state);
  }
  world.pass(seconds(1));
  EXPECT_EQ(world.ledger->status(world.env.clock.now()).granted, Resources{});
  const WorkerStatus status = world.status();
  EXPECT_THAT(status.running, ::testing::IsEmpty());
  EXPECT_LE(line.most_long_polls, 1);
  EXPECT_LE(line.most_takes_of_queue, 2)
      << "a long poll and the request that ends it, or one in each of two sessions";
  if (!world.worker_options.hand_off) {
    EXPECT_EQ(line.most_takes_of_session, 1) << "the store repeats only the last reply of a session";
  }
  EXPECT_GT(status.counters.completed, jobs.size() / 4);
  world.await(world.worker->stop(seconds(1)));
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range<std::uint64_t>(1, 5));

}  // namespace
}  // namespace gaur
