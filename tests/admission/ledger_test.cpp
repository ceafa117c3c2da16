// The rules of the ledger.
#include "admission/ledger.hpp"

#include <gtest/gtest.h>

#include "admission/decaying_histogram.hpp"
#include "admission/reservation.hpp"

namespace gaur {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kGB = 1'000'000'000;
const QueueName kQueue{"query"}, kOther{"other"};
const FunctionName kSmall{"small"}, kBig{"big"};

LedgerOptions options() {
  LedgerOptions result;
  result.capacity = {4, 8 * kGB};
  result.slots = 4;
  result.queues = {{.name = kQueue}, {.name = kOther}};
  result.functions[kSmall] = {.cores = 1, .memory_bytes = kGB};
  result.functions[kBig] = {.cores = 4, .memory_bytes = 6 * kGB};
  return result;
}

Taken taken(const std::string& token, const FunctionName& function) {
  Taken result;
  result.job.id = JobId(token);
  result.token = LockToken(token);
  result.function = function;
  return result;
}

BlockedHead blocked(const std::string& id, const FunctionName& function, const Needs& needs) {
  return {.id = JobId(id), .function = function, .needs = needs, .waiting_since = {}};
}

/// A ledger with a clock.
struct LedgerFixture {
  Ledger ledger;
  Instant now{minutes(60)};
  explicit LedgerFixture(LedgerOptions given = options()) : ledger(std::move(given)) {}

  Booking book(const QueueName& queue = kQueue) { return ledger.book(queue, now); }
  void settle(const Booking& booking, const std::vector<Taken>& what,
              const std::optional<BlockedHead>& head = {}) {
    ledger.settle(booking.id, what, head, now);
  }
  void run(const std::string& token, const FunctionName& function, const QueueName& queue = kQueue) {
    settle(book(queue), {taken(token, function)});
  }
  void end(const std::string& token) { ledger.release(LockToken(token), {.wall_us = 1}, now); }
  /// Records five runs of this duration.
  void record_runs(const FunctionName& function, Duration wall, const QueueName& queue = kQueue) {
    for (int i = 0; i < 5; ++i) {
      run("recorded", function, queue);
      now += wall;
      end("recorded");
    }
  }
  std::optional<std::string> why(const QueueName& queue, const FunctionName& function) const {
    WaitFacts facts{.queue = queue, .function = function};
    ledger.explain(facts, now);
    return wait_reason(facts);
  }
  void block(const std::string& id, const FunctionName& function, const QueueName& queue = kQueue) {
    settle(book(queue), {}, blocked(id, function, *ledger.needs_of(function)));
  }
};

TEST(Ledger, BooksWholeCapacity) {
  LedgerFixture fixture;
  const Booking booking = fixture.book();
  EXPECT_EQ(booking.take, 4U);
  EXPECT_EQ(booking.filter.free, (Resources{4, 8 * kGB}));
  EXPECT_EQ(fixture.book(kOther).take, 0U) << "the other queue's request has booked it";
  fixture.settle(booking, {taken("1", kSmall)});
  const Booking rest = fixture.book(kOther);
  EXPECT_EQ(rest.filter.free, (Resources{3, 7 * kGB}));
  EXPECT_EQ(rest.take, 3U);
}

TEST(Ledger, BooksNoMoreThanOneRequestCanUse) {
  LedgerOptions many = options();
  many.capacity = {16, 32 * kGB};
  many.slots = 16;
  many.takes_in_flight = 2;
  many.functions = {{kSmall, {.cores = 1, .memory_bytes = kGB}}, {kBig, {.cores = 1.5, .memory_bytes = kGB}}};
  LedgerFixture fixture(many);
  const Booking first = fixture.book();
  EXPECT_EQ(first.take, 8U) << "half of the slots";
  EXPECT_EQ(first.filter.free, (Resources{12, 8 * kGB})) << "eight of the largest";
  const Booking second = fixture.book();
  EXPECT_EQ(second.take, 4U);
  EXPECT_EQ(second.filter.free, (Resources{4, 4 * kGB}));
  EXPECT_EQ(fixture.book().take, 0U);
  fixture.settle(first, {});
  fixture.settle(second, {});
  EXPECT_EQ(fixture.ledger.status(fixture.now).booked, Resources{});
}

TEST(Ledger, DoesNotShareFewSlots) {
  LedgerOptions few = options();
  few.takes_in_flight = 2;
  EXPECT_EQ(LedgerFixture(few).book().take, 4U);
}

TEST(Ledger, GrantsWholeThreadsAndNeededMemory) {
  LedgerOptions given = options();
  given.functions[FunctionName("uneven")] = {.cores = 2.5, .memory_bytes = kGB};
  given.functions[FunctionName("light")] = {.cores = 0.25, .memory_bytes = kGB};
  LedgerFixture fixture(given);
  fixture.run("1", FunctionName("uneven"));
  fixture.run("2", FunctionName("light"));
  EXPECT_EQ(fixture.ledger.grant(LockToken("1")).threads, 2U);
  EXPECT_EQ(fixture.ledger.grant(LockToken("2")).threads, 1U);
  EXPECT_EQ(fixture.ledger.grant(LockToken("1")).memory_bytes, kGB);
  EXPECT_EQ(fixture.ledger.status(fixture.now).threads, 3U);
  fixture.end("1");
  EXPECT_EQ(fixture.ledger.grant(LockToken("1")).memory_bytes, 0U);
}

TEST(Ledger, DefaultsNeedsToSlotShareAndClampsThem) {
  LedgerOptions given = options();
  given.functions[FunctionName("default")] = {};
  given.functions[FunctionName("huge")] = {.cores = 64, .memory_bytes = 500 * kGB};
  LedgerFixture fixture(given);
  const Needs share = *fixture.ledger.needs_of(FunctionName("default"));
  EXPECT_EQ(share.cores, 1);
  EXPECT_EQ(share.memory_bytes, 2 * kGB);
  const Needs huge = *fixture.ledger.needs_of(FunctionName("huge"));
  EXPECT_EQ(huge.cores, 4);
  EXPECT_EQ(huge.memory_bytes, 8 * kGB);
  fixture.ledger.set_overhead(kGB);
  EXPECT_EQ(fixture.ledger.needs_of(FunctionName("huge"))->memory_bytes, 7 * kGB)
      << "still fits an idle machine";
  EXPECT_EQ(fixture.ledger.needs_of(FunctionName("unknown")), std::nullopt);
}

TEST(Ledger, SubtractsMemoryOfIdleRunners) {
  LedgerFixture fixture;
  fixture.ledger.set_overhead(3 * kGB);
  EXPECT_EQ(fixture.book().filter.free, (Resources{4, 5 * kGB}));
  fixture.ledger.set_overhead(100 * kGB);
  LedgerFixture other;
  other.ledger.set_overhead(100 * kGB);
  EXPECT_EQ(other.book().filter.free.memory_bytes, 2 * kGB) << "at most three quarters of the capacity";
}

TEST(Ledger, OvercommitsCoresOnlyIfConfigured) {
  LedgerOptions given = options();
  given.cpu_factor = 1.5;
  LedgerFixture fixture(given);
  EXPECT_EQ(fixture.book().filter.free, (Resources{6, 8 * kGB}));
}

TEST(Ledger, EnforcesMaxRunningAcrossQueues) {
  LedgerOptions given = options();
  given.functions[kSmall].max_running = 2;
  LedgerFixture fixture(given);
  Booking first = fixture.book();
  EXPECT_EQ(first.take, 2U);
  fixture.settle(first, {taken("1", kSmall)});
  first = fixture.book();
  EXPECT_EQ(first.take, 1U);
  EXPECT_FALSE(first.filter.needs.at(kSmall).unavailable);
  fixture.settle(first, {taken("2", kSmall)});
  EXPECT_TRUE(fixture.book(kOther).filter.needs.at(kSmall).unavailable);
}

TEST(Ledger, ServesFunctionOnlyInItsQueues) {
  LedgerOptions given = options();
  given.functions[kSmall].queues = {kOther};
  LedgerFixture fixture(given);
  const Booking booking = fixture.book(kQueue);
  EXPECT_FALSE(booking.filter.needs.contains(kSmall));
  EXPECT_FALSE(booking.filter.default_needs);
  EXPECT_EQ(fixture.why(kQueue, kSmall), "no runner of this host serves the function small");
}

TEST(Ledger, ExplainsUnavailableFunction) {
  LedgerFixture fixture;
  fixture.ledger.mark_unavailable(kSmall, "its pool cannot start: node: not found");
  EXPECT_TRUE(fixture.book().filter.needs.at(kSmall).unavailable);
  EXPECT_EQ(fixture.why(kQueue, kSmall), "its pool cannot start: node: not found");
  fixture.ledger.mark_available(kSmall);
  EXPECT_EQ(fixture.why(kQueue, kSmall), std::nullopt);
}

TEST(Ledger, ExplainsNeededAndFreeResources) {
  LedgerFixture fixture;
  fixture.run("1", kSmall);
  fixture.run("2", kSmall);
  EXPECT_EQ(fixture.why(kQueue, kBig), "needs 4 cores and 6.0 GB; 2 cores and 6.0 GB are free");
  EXPECT_EQ(fixture.why(kQueue, kSmall), std::nullopt);
  fixture.block("big-1", kBig);
  fixture.now += seconds(3);
  EXPECT_EQ(fixture.why(kQueue, kSmall),
            "waits behind job big-1 (big) of queue query, which needs 4 cores and 6.0 GB and has waited 3 s "
            "for them; 2 cores and 6.0 GB are free");
  EXPECT_EQ(fixture.why(QueueName("nobody"), kSmall), "no worker of this host serves the queue nobody");
}

// ---- blocked head -----------------------------------------------------------------------

const FunctionName kLong{"long"};

LedgerOptions with_long_function() {
  LedgerOptions given = options();
  given.functions[kLong] = {.cores = 1, .memory_bytes = kGB};
  return given;
}

/// Statistics of two functions and an active run of the long one.
void start_long_run(LedgerFixture& fixture, Duration usual) {
  fixture.record_runs(kSmall, seconds(1));
  fixture.record_runs(kLong, usual);
  fixture.run("l", kLong);
}

TEST(Backfill, AllowsRunsThatEndBeforeTheHeadStarts) {
  LedgerFixture fixture(with_long_function());
  start_long_run(fixture, seconds(10));
  fixture.now += seconds(1);
  fixture.block("b", kBig);
  Booking booking = fixture.book();
  EXPECT_TRUE(booking.filter.backfill);
  EXPECT_TRUE(booking.filter.needs.at(kSmall).ends_before_head);
  EXPECT_FALSE(booking.filter.needs.at(kLong).ends_before_head);
  EXPECT_EQ(booking.filter.spare.cores, 0) << "the head needs all cores";
  fixture.settle(booking, {}, blocked("b", kBig, *fixture.ledger.needs_of(kBig)));
  fixture.now += seconds(10);  // 11 s of at most 11.9 s: the long run is about to end
  booking = fixture.book();
  EXPECT_FALSE(booking.filter.needs.at(kSmall).ends_before_head);
}

TEST(Backfill, LimitsRunsOfUnknownDurationToSpareResources) {
  LedgerOptions given = options();
  given.functions[kBig] = {.cores = 3, .memory_bytes = 3 * kGB};
  given.functions[FunctionName("unknown")] = {.cores = 1, .memory_bytes = kGB};
  given.functions[kLong] = {.cores = 2, .memory_bytes = kGB};
  LedgerFixture fixture(given);
  fixture.record_runs(kLong, seconds(10));
  fixture.run("l", kLong);
  fixture.block("b", kBig);
  const Needs big = *fixture.ledger.needs_of(kBig);
  Booking booking = fixture.book();
  EXPECT_EQ(booking.filter.free.cores, 2);
  EXPECT_EQ(booking.filter.spare.cores, 1) << "4 - 3 when the long one has ended";
  EXPECT_FALSE(booking.filter.needs.at(FunctionName("unknown")).ends_before_head);
  fixture.settle(booking, {taken("u", FunctionName("unknown"))}, blocked("b", kBig, big));
  booking = fixture.book();
  EXPECT_EQ(booking.filter.free.cores, 1);
  EXPECT_EQ(booking.filter.spare.cores, 0) << "the duration of the backfilled run is unknown";
}

TEST(Backfill, EndsAfterThreeQuartersOfMaxHeadWait) {
  LedgerFixture fixture(with_long_function());
  start_long_run(fixture, minutes(10));
  fixture.block("b", kBig);
  EXPECT_TRUE(fixture.book().filter.backfill);
  LedgerFixture later(with_long_function());
  start_long_run(later, minutes(10));
  later.block("b", kBig);
  later.now += seconds(23);  // three quarters of max_head_wait have passed
  EXPECT_FALSE(later.book().filter.backfill);
  EXPECT_EQ(later.book(kOther).take, 0U) << "nor from another queue";
}

TEST(Fifo, BlocksAllBehindTheHead) {
  LedgerOptions given = options();
  given.queues[0].order = QueueOrder::kFifo;
  LedgerFixture fixture(given);
  fixture.record_runs(kSmall, seconds(1));
  fixture.run("1", kSmall);
  fixture.block("b", kBig);
  EXPECT_FALSE(fixture.book().filter.backfill);
}

TEST(Order, PutsOverdueHeadThenLeastServedQueueFirst) {
  LedgerFixture fixture;
  EXPECT_EQ(fixture.ledger.order(), (std::vector{kQueue, kOther}));
  fixture.settle(fixture.book(kOther), {});
  fixture.run("1", kSmall);
  EXPECT_EQ(fixture.ledger.order(), (std::vector{kOther, kQueue}));
  fixture.block("b", kBig);
  EXPECT_EQ(fixture.ledger.order(), (std::vector{kOther, kQueue}));
  fixture.now += seconds(16);  // half of max_head_wait is over
  (void)fixture.book(kOther);
  EXPECT_EQ(fixture.ledger.order(), (std::vector{kQueue, kOther}));
}

TEST(Order, GivesIdleQueueNoCredit) {
  LedgerFixture fixture;
  for (int i = 0; i < 100; ++i) {
    fixture.run("1", kSmall);
    fixture.end("1");
  }
  // The other queue was idle; now both have jobs: they alternate, instead of a hundred jobs in a row.
  int other_first = 0;
  for (int i = 0; i < 20; ++i) {
    const QueueName first = fixture.ledger.order().front();
    const Booking booking = fixture.book(first);
    fixture.settle(booking, {taken("2", kSmall), taken("3", kSmall), taken("4", kSmall), taken("5", kSmall)});
    for (const char* token : {"2", "3", "4", "5"}) fixture.end(token);
    if (first == kOther) ++other_first;
  }
  EXPECT_GE(other_first, 9);
  EXPECT_LE(other_first, 11);
}

TEST(Ledger, SettlesBookingOnce) {
  LedgerFixture fixture;
  const Booking booking = fixture.book();
  fixture.settle(booking, {taken("1", kSmall)});
  fixture.settle(booking, {taken("1", kSmall)});
  EXPECT_EQ(fixture.ledger.status(fixture.now).granted.cores, 1);
  fixture.end("1");
  fixture.end("1");
  EXPECT_EQ(fixture.ledger.status(fixture.now).granted.cores, 0);
}

// ---- parts -------------------------------------------------------------------------------------

TEST(Reservation, ExtendsOverdueRunByItsExcess) {
  const Instant now{minutes(60)};
  EXPECT_EQ(expected_end({{}, now - seconds(4), seconds(10)}, now), now + seconds(6));
  EXPECT_EQ(expected_end({{}, now - seconds(14), seconds(10)}, now), now + seconds(4));
  EXPECT_EQ(expected_end({{}, now - seconds(4), std::nullopt}, now), std::nullopt);
}

TEST(DecayingHistogram, IsWithinAFifthAndForgetsOldValues) {
  DecayingHistogram histogram;
  for (int i = 1; i <= 4; ++i) histogram.add(1000);
  EXPECT_EQ(histogram.quantile(0.9), std::nullopt) << "four values are too few";
  for (int i = 0; i < 1000; ++i) histogram.add((i * 37 % 100 + 1) * 1000.0);
  EXPECT_NEAR(*histogram.quantile(0.9), 90'000, 0.2 * 90'000);
  for (int i = 0; i < 2000; ++i) histogram.add(5);
  EXPECT_NEAR(*histogram.quantile(0.9), 5, 1);
  EXPECT_EQ(histogram.count(), 3004U);
}

}  // namespace
}  // namespace gaur
