#include "redis_store/replies.hpp"

#include <gmock/gmock.h>

namespace gaur::redis_store {
namespace {

using ::testing::HasSubstr;

TEST(ErrorOf, SaysWhatToDo) {
  struct Row {
    std::string reply;
    Errc code;
    std::string text;
  };
  // As redis-server 7.0.15 replies to our scripts.
  const std::vector<Row> rows = {
      {"OOM command not allowed when used memory > 'maxmemory'. script: 5e97ea, on @user_script:9.",
       Errc::kStoreFull, "raise it, or remove jobs"},
      {"READONLY You can't write against a read only replica. script: 5e97ea, on @user_script:116.",
       Errc::kDisconnected, "use the address of its master"},
      {"MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist",
       Errc::kStoreFull, "unable to persist"},
      {"LOADING Redis is loading the dataset in memory", Errc::kDisconnected, "loading"},
      {"NOPERM this user has no permissions to run the 'zadd' command", Errc::kPermission, "add +zadd"},
      {"ERR The user executing the script can't run this command or subcommand script: aad8",
       Errc::kPermission, "docs/how-to/redis.md"},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", Errc::kCorrupt, "WRONGTYPE"},
  };
  for (const Row& row : rows) {
    const Error error = error_of({row.reply});
    EXPECT_EQ(error.code, row.code) << row.reply;
    EXPECT_THAT(error.message, HasSubstr(row.text));
  }
}

}  // namespace
}  // namespace gaur::redis_store
