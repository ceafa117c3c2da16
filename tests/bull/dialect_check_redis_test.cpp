// Every verb rejects a queue of another dialect with advice, and changes nothing.
#include "layout_fixture.hpp"

namespace gaur::bull {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DialectCheckTest : public Layout {
 protected:
  static std::string everything() { return text({"DEBUG", "DIGEST"}); }
};

TEST_F(DialectCheckTest, RejectsEveryVerbOnABullMqQueue) {
  (void)redis({"XADD", key("events"), "*", "event", "added"});
  (void)redis({"HSET", key("meta"), "opts.maxLenEvents", "10000"});
  const std::string before = everything();
  EXPECT_EQ(error(store().add({.queue = queue_, .jobs = {{.name = "a"}}})), Errc::kPermission);
  EXPECT_EQ(error(store().finish_and_take({.queue = queue_, .take = 1})), Errc::kPermission);
  EXPECT_EQ(error(store().pause(queue_)), Errc::kPermission);
  EXPECT_EQ(error(store().drain(queue_, true)), Errc::kPermission);
  EXPECT_EQ(error(store().obliterate(queue_, true)), Errc::kPermission);
  EXPECT_EQ(error(store().recover({.queue = queue_})), Errc::kPermission);
  EXPECT_EQ(error(store().counts(queue_)), Errc::kPermission);
  EXPECT_EQ(everything(), before);
}

TEST_F(DialectCheckTest, NamesBothKindsOfEvidenceOfAMixedQueue) {
  (void)redis({"SET", key("meta-paused"), "1"});
  (void)redis({"ZADD", key("marker"), "0", "0"});
  const auto refused = now(store().add({.queue = queue_, .jobs = {{.name = "a"}}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kPermission);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("mixed"), HasSubstr("meta-paused"), HasSubstr("marker")));
  EXPECT_EQ(text({"EXISTS", key("id")}), "0");
  (void)redis({"DEL", key("marker")});
  EXPECT_TRUE(now(store().add({.queue = queue_, .jobs = {{.name = "a"}}}))) << "after the removal it is used";
}

/// Calls during the check of a queue are run in order.
TEST_F(DialectCheckTest, KeepsTheOrderOfCallsDuringTheCheck) {
  for (int round = 0; round < 5; ++round) {
    const QueueName queue("batch" + std::to_string(round));
    const auto added =
        store().add({.queue = queue, .jobs = std::vector<NewJob>(10'000, {.name = "a"})}).get();
    ASSERT_TRUE(added) << added.error().message;
    for (std::size_t i = 0; i < added->size(); ++i)
      ASSERT_EQ((*added)[i].id, JobId(std::to_string(i + 1))) << "in round " << round;
  }
}

TEST_F(DialectCheckTest, RejectsAPrefixThatBreaksSubscriptions) {
  for (const char* prefix : {"a@b", "a*", "a[1]", ""}) {
    BullOptions options;
    options.prefix = prefix;
    const auto bad = make_bull_store(*client_, env_, options);
    EXPECT_EQ(error(bad->counts(queue_)), Errc::kInvalidArgument) << prefix;
  }
}

}  // namespace
}  // namespace gaur::bull
