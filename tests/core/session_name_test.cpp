#include "core/session_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/name_text.hpp"

namespace gaur {
namespace {

TEST(SessionName, KeepsPlainQueueNames) {
  EXPECT_EQ(worker_session("host-1a", QueueName("query_2.fast-{a}")), "host-1a/query_2.fast-{a}");
}

TEST(SessionName, IsDistinctAndPlainForEveryQueue) {
  std::set<std::string> sessions;
  const std::vector<std::string> names{"a",
                                       "a/b",
                                       "a:b",
                                       "a@b",
                                       "a%40b",
                                       "a b",
                                       "질의",
                                       "..",
                                       ".",
                                       std::string("a\0", 2),
                                       "a\n",
                                       std::string(300, 'q'),
                                       std::string(301, 'q'),
                                       std::string(299, 'q') + "r"};
  for (const std::string& name : names) {
    const std::string session = queue_in_session(QueueName(name));
    EXPECT_LE(session.size(), 128U);
    for (const char c : session)
      EXPECT_TRUE(c > ' ' && c < 0x7F && c != '@' && c != ':' && c != '/') << session;
    sessions.insert(session);
  }
  EXPECT_EQ(sessions.size(), names.size());
}

TEST(PercentEncode, EncodesDotsOfPaths) {
  EXPECT_EQ(percent_encode(".."), "%2E%2E");
  EXPECT_EQ(percent_encode("a/../b"), "a%2F..%2Fb");
  EXPECT_EQ(percent_encode("{a}", "{}"), "{a}");
}

TEST(PercentDecode, RejectsIncompleteCodes) {
  EXPECT_EQ(*percent_decode("%EA%B0%80+a"), "가+a");
  EXPECT_EQ(*percent_decode(""), "");
  for (const char* text : {"%", "%1", "a%2", "%zz", "%+1", "%%25"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

}  // namespace
}  // namespace gaur
