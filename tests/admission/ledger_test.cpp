// The ledger's decisions, one rule a test.
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

/// A ledger and its hours.
struct Book {
  Ledger ledger;
  Instant now{minutes(60)};
  explicit Book(LedgerOptions given = options()) : ledger(std::move(given)) {}

  Booking offer(const QueueName& queue = kQueue) { return ledger.offer(queue, now); }
  void settle(const Booking& offer, const std::vector<Taken>& what,
              const std::optional<BlockedHead>& head = {}) {
    ledger.settle(offer.ticket, what, head, now);
  }
  void run(const std::string& token, const FunctionName& function, const QueueName& queue = kQueue) {
    settle(offer(queue), {taken(token, function)});
  }
  void end(const std::string& token) { ledger.release(LockToken(token), {.wall_us = 1}, now); }
  /// Lets the ledger see five runs of this length.
  void teach(const FunctionName& function, Duration wall, const QueueName& queue = kQueue) {
    for (int i = 0; i < 5; ++i) {
      run("lesson", function, queue);
      now += wall;
      end("lesson");
    }
  }
  std::optional<std::string> why(const QueueName& queue, const FunctionName& function) const {
    WaitFacts facts{.queue = queue, .function = function};
    ledger.explain(facts, now);
    return wait_reason(facts);
  }
  void block(const std::string& id, const FunctionName& function, const QueueName& queue = kQueue) {
    settle(offer(queue), {}, blocked(id, function, *ledger.needs_of(function)));
  }
};

TEST(Ledger, OffersTheWholeBoxAndBooksIt) {
  Book book;
  const Booking offer = book.offer();
  EXPECT_EQ(offer.take, 4U);
  EXPECT_EQ(offer.filter.free, (Resources{4, 8 * kGB}));
  EXPECT_EQ(book.offer(kOther).take, 0U) << "the other queue's turn has it";
  book.settle(offer, {taken("1", kSmall)});
  const Booking rest = book.offer(kOther);
  EXPECT_EQ(rest.filter.free, (Resources{3, 7 * kGB}));
  EXPECT_EQ(rest.take, 3U);
}

TEST(Ledger, BooksNoMoreThanATurnCanUse) {
  LedgerOptions many = options();
  many.capacity = {16, 32 * kGB};
  many.slots = 16;
  many.turns_at_once = 2;
  many.functions = {{kSmall, {.cores = 1, .memory_bytes = kGB}}, {kBig, {.cores = 1.5, .memory_bytes = kGB}}};
  Book book(many);
  const Booking first = book.offer();
  EXPECT_EQ(first.take, 8U) << "half of the slots";
  EXPECT_EQ(first.filter.free, (Resources{12, 8 * kGB})) << "eight of the largest";
  const Booking second = book.offer();
  EXPECT_EQ(second.take, 4U);
  EXPECT_EQ(second.filter.free, (Resources{4, 4 * kGB}));
  EXPECT_EQ(book.offer().take, 0U);
  book.settle(first, {});
  book.settle(second, {});
  EXPECT_EQ(book.ledger.status(book.now).booked, Resources{});
}

TEST(Ledger, FewSlotsAreNotShared) {
  LedgerOptions few = options();
  few.turns_at_once = 2;
  EXPECT_EQ(Book(few).offer().take, 4U);
}

TEST(Ledger, GrantsWholeThreadsAndTheMemoryThatWasNeeded) {
  LedgerOptions given = options();
  given.functions[FunctionName("half")] = {.cores = 2.5, .memory_bytes = kGB};
  given.functions[FunctionName("light")] = {.cores = 0.25, .memory_bytes = kGB};
  Book book(given);
  book.run("1", FunctionName("half"));
  book.run("2", FunctionName("light"));
  EXPECT_EQ(book.ledger.grant(LockToken("1")).threads, 2U);
  EXPECT_EQ(book.ledger.grant(LockToken("2")).threads, 1U);
  EXPECT_EQ(book.ledger.grant(LockToken("1")).memory_bytes, kGB);
  EXPECT_EQ(book.ledger.status(book.now).threads, 3U);
  book.end("1");
  EXPECT_EQ(book.ledger.grant(LockToken("1")).memory_bytes, 0U);
}

TEST(Ledger, NeedsThatAreNotSaidAreASlotsShareAndAllFitAnEmptyBox) {
  LedgerOptions given = options();
  given.functions[FunctionName("said nothing")] = {};
  given.functions[FunctionName("huge")] = {.cores = 64, .memory_bytes = 500 * kGB};
  Book book(given);
  const Needs share = *book.ledger.needs_of(FunctionName("said nothing"));
  EXPECT_EQ(share.cores, 1);
  EXPECT_EQ(share.memory_bytes, 2 * kGB);
  const Needs huge = *book.ledger.needs_of(FunctionName("huge"));
  EXPECT_EQ(huge.cores, 4);
  EXPECT_EQ(huge.memory_bytes, 8 * kGB);
  book.ledger.set_overhead(kGB);
  EXPECT_EQ(book.ledger.needs_of(FunctionName("huge"))->memory_bytes, 7 * kGB) << "still fits an empty box";
  EXPECT_EQ(book.ledger.needs_of(FunctionName("unknown")), std::nullopt);
}

TEST(Ledger, IdleRunnersAreChargedWithTheirMemory) {
  Book book;
  book.ledger.set_overhead(3 * kGB);
  EXPECT_EQ(book.offer().filter.free, (Resources{4, 5 * kGB}));
  book.ledger.set_overhead(100 * kGB);
  Book other;
  other.ledger.set_overhead(100 * kGB);
  EXPECT_EQ(other.offer().filter.free.memory_bytes, 2 * kGB) << "never more than three quarters of the box";
}

TEST(Ledger, CpuIsSoftOnlyWhereConfigured) {
  LedgerOptions given = options();
  given.cpu_factor = 1.5;
  Book book(given);
  EXPECT_EQ(book.offer().filter.free, (Resources{6, 8 * kGB}));
}

TEST(Ledger, HoldsAFunctionToItsOwnLimitWithinATurnAndAcrossQueues) {
  LedgerOptions given = options();
  given.functions[kSmall].max_running = 2;
  Book book(given);
  Booking first = book.offer();
  EXPECT_EQ(first.take, 2U);
  book.settle(first, {taken("1", kSmall)});
  first = book.offer();
  EXPECT_EQ(first.take, 1U);
  EXPECT_FALSE(first.filter.needs.at(kSmall).unavailable);
  book.settle(first, {taken("2", kSmall)});
  EXPECT_TRUE(book.offer(kOther).filter.needs.at(kSmall).unavailable);
}

TEST(Ledger, ServesAFunctionOnlyInItsQueues) {
  LedgerOptions given = options();
  given.functions[kSmall].queues = {kOther};
  Book book(given);
  const Booking offer = book.offer(kQueue);
  EXPECT_FALSE(offer.filter.needs.contains(kSmall));
  EXPECT_FALSE(offer.filter.default_needs);
  EXPECT_EQ(book.why(kQueue, kSmall), "no runner of this host serves the function small");
}

TEST(Ledger, AClosedFunctionIsNotTakenAndSaysWhy) {
  Book book;
  book.ledger.mark_unavailable(kSmall, "its pool cannot start: node: not found");
  EXPECT_TRUE(book.offer().filter.needs.at(kSmall).unavailable);
  EXPECT_EQ(book.why(kQueue, kSmall), "its pool cannot start: node: not found");
  book.ledger.mark_available(kSmall);
  EXPECT_EQ(book.why(kQueue, kSmall), std::nullopt);
}

TEST(Ledger, TellsWhatIsNeededAndWhatIsFree) {
  Book book;
  book.run("1", kSmall);
  book.run("2", kSmall);
  EXPECT_EQ(book.why(kQueue, kBig), "needs 4 cores and 6.0 GB; 2 cores and 6.0 GB are free");
  EXPECT_EQ(book.why(kQueue, kSmall), std::nullopt);
  book.block("big-1", kBig);
  book.now += seconds(3);
  EXPECT_EQ(book.why(kQueue, kSmall),
            "waits behind job big-1 (big) of queue query, which needs 4 cores and 6.0 GB and has waited 3 s "
            "for them; 2 cores and 6.0 GB are free");
  EXPECT_EQ(book.why(QueueName("nobody"), kSmall), "no worker of this host serves the queue nobody");
}

// ---- the head that waits -----------------------------------------------------------------------

TEST(Backfill, SmallOnesPassIfTheyEndBeforeTheHeadCouldStart) {
  LedgerOptions given = options();
  given.functions[FunctionName("long")] = {.cores = 1, .memory_bytes = kGB};
  Book book(given);
  book.teach(kSmall, seconds(1));
  book.teach(FunctionName("long"), seconds(10));
  book.run("l", FunctionName("long"));
  book.now += seconds(1);
  book.block("b", kBig);
  Booking offer = book.offer();
  EXPECT_TRUE(offer.filter.backfill);
  EXPECT_TRUE(offer.filter.needs.at(kSmall).ends_before_head);
  EXPECT_FALSE(offer.filter.needs.at(FunctionName("long")).ends_before_head);
  EXPECT_EQ(offer.filter.spare.cores, 0) << "the head needs all cores";
  book.settle(offer, {}, blocked("b", kBig, *book.ledger.needs_of(kBig)));
  book.now += seconds(10);  // 11 s since it began (usually less than 11.9 s): the long one is about to end:
                            // no time left for a small one
  offer = book.offer();
  EXPECT_FALSE(offer.filter.needs.at(kSmall).ends_before_head);
}

TEST(Backfill, RunsOfUnknownLengthPassOnlyInSpareRoomAndUseItUp) {
  LedgerOptions given = options();
  given.functions[kBig] = {.cores = 3, .memory_bytes = 3 * kGB};
  given.functions[FunctionName("unknown")] = {.cores = 1, .memory_bytes = kGB};
  given.functions[FunctionName("long")] = {.cores = 2, .memory_bytes = kGB};
  Book book(given);
  book.teach(FunctionName("long"), seconds(10));
  book.run("l", FunctionName("long"));
  book.block("b", kBig);
  const Needs big = *book.ledger.needs_of(kBig);
  Booking offer = book.offer();
  EXPECT_EQ(offer.filter.free.cores, 2);
  EXPECT_EQ(offer.filter.spare.cores, 1) << "4 - 3 when the long one has ended";
  EXPECT_FALSE(offer.filter.needs.at(FunctionName("unknown")).ends_before_head);
  book.settle(offer, {taken("u", FunctionName("unknown"))}, blocked("b", kBig, big));
  offer = book.offer();
  EXPECT_EQ(offer.filter.free.cores, 1);
  EXPECT_EQ(offer.filter.spare.cores, 0) << "the one that passed may run for ever";
}

TEST(Backfill, NothingPassesALongWaitingHead) {
  LedgerOptions given = options();
  given.functions[FunctionName("long")] = {.cores = 1, .memory_bytes = kGB};
  Book book(given);
  book.teach(kSmall, seconds(1));
  book.teach(FunctionName("long"), minutes(10));
  book.run("l", FunctionName("long"));
  book.block("b", kBig);
  EXPECT_TRUE(book.offer().filter.backfill);
  Book later = Book(given);
  later.teach(kSmall, seconds(1));
  later.teach(FunctionName("long"), minutes(10));
  later.run("l", FunctionName("long"));
  later.block("b", kBig);
  later.now += seconds(23);  // three quarters of max_head_wait are over
  EXPECT_FALSE(later.offer().filter.backfill);
  EXPECT_EQ(later.offer(kOther).take, 0U) << "nor from another queue";
}

TEST(Fifo, NothingPassesTheHead) {
  LedgerOptions given = options();
  given.queues[0].order = QueueOrder::kFifo;
  Book book(given);
  book.teach(kSmall, seconds(1));
  book.run("1", kSmall);
  book.block("b", kBig);
  EXPECT_FALSE(book.offer().filter.backfill);
}

TEST(Order, TheLeastServedQueueGoesFirstAndAnOverdueHeadBeforeAll) {
  Book book;
  EXPECT_EQ(book.ledger.order(), (std::vector{kQueue, kOther}));
  book.settle(book.offer(kOther), {});
  book.run("1", kSmall);
  EXPECT_EQ(book.ledger.order(), (std::vector{kOther, kQueue}));
  book.block("b", kBig);
  EXPECT_EQ(book.ledger.order(), (std::vector{kOther, kQueue}));
  book.now += seconds(16);  // half of max_head_wait is over
  (void)book.offer(kOther);
  EXPECT_EQ(book.ledger.order(), (std::vector{kQueue, kOther}));
}

TEST(Order, AnIdleQueueSavesNothingUp) {
  Book book;
  for (int i = 0; i < 100; ++i) {
    book.run("1", kSmall);
    book.end("1");
  }
  // The other queue was idle all the time; now both want room: they alternate, it does not get a hundred in a
  // row.
  int other_first = 0;
  for (int i = 0; i < 20; ++i) {
    const QueueName first = book.ledger.order().front();
    const Booking offer = book.offer(first);
    book.settle(offer, {taken("2", kSmall), taken("3", kSmall), taken("4", kSmall), taken("5", kSmall)});
    for (const char* token : {"2", "3", "4", "5"}) book.end(token);
    if (first == kOther) ++other_first;
  }
  EXPECT_GE(other_first, 9);
  EXPECT_LE(other_first, 11);
}

TEST(Ledger, ATurnThatIsAnsweredTwiceIsSettledOnce) {
  Book book;
  const Booking offer = book.offer();
  book.settle(offer, {taken("1", kSmall)});
  book.settle(offer, {taken("1", kSmall)});
  EXPECT_EQ(book.ledger.status(book.now).granted.cores, 1);
  book.end("1");
  book.end("1");
  EXPECT_EQ(book.ledger.status(book.now).granted.cores, 0);
}

// ---- parts -------------------------------------------------------------------------------------

TEST(Reservation, AnOverdueRunIsGivenAsLongAgain) {
  const Instant now{minutes(60)};
  EXPECT_EQ(expected_end({{}, now - seconds(4), seconds(10)}, now), now + seconds(6));
  EXPECT_EQ(expected_end({{}, now - seconds(14), seconds(10)}, now), now + seconds(4));
  EXPECT_EQ(expected_end({{}, now - seconds(4), std::nullopt}, now), std::nullopt);
}

TEST(Sketch, AnswersWithinAFifthAndForgets) {
  DecayingHistogram sketch;
  for (int i = 1; i <= 4; ++i) sketch.add(1000);
  EXPECT_EQ(sketch.quantile(0.9), std::nullopt) << "four are too few to be trusted";
  for (int i = 0; i < 1000; ++i) sketch.add((i * 37 % 100 + 1) * 1000.0);
  EXPECT_NEAR(*sketch.quantile(0.9), 90'000, 0.2 * 90'000);
  for (int i = 0; i < 2000; ++i) sketch.add(5);
  EXPECT_NEAR(*sketch.quantile(0.9), 5, 1);
  EXPECT_EQ(sketch.count(), 3004U);
}

}  // namespace
}  // namespace gaur
