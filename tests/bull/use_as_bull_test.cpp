// Which queues may be used as Bull queues, from evidence.
#include "bull/use_as_bull.hpp"

#include <gmock/gmock.h>

namespace gaur::bull {
namespace {

using testing::HasSubstr;

TEST(UseAsBull, RejectsAMixtureWithTheCommandThatRemovesBullMq) {
  redis_store::Evidence evidence =
      redis_store::evidence_of({.events_stream = true,
                                .keys = {"marker", "priority"},
                                .repeat = {{.member = "it's daily", .scheduler = true, .hash = true}},
                                .jobs = {{.id = "7", .fields = {"name", "atm", "ats"}}}});
  evidence.base = "ncs_resource:::mail query:";
  evidence.cli = "redis-cli -h redis.example -p 6380 -n 2 --askpass";
  const Status rejected = may_be_used_as_bull(QueueName("mail query"), evidence);
  ASSERT_FALSE(rejected);
  EXPECT_THAT(
      rejected.error().message,
      HasSubstr(
          "redis-cli -h redis.example -p 6380 -n 2 --askpass UNLINK 'ncs_resource:::mail query:events' "
          "'ncs_resource:::mail query:marker' 'ncs_resource:::mail query:repeat:it'\\''s daily'"
          " && redis-cli -h redis.example -p 6380 -n 2 --askpass ZREM 'ncs_resource:::mail query:repeat' "
          "'it'\\''s daily'"
          " && redis-cli -h redis.example -p 6380 -n 2 --askpass HDEL 'ncs_resource:::mail query:7' atm "
          "ats"));
}

}  // namespace
}  // namespace gaur::bull
