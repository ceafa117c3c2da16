// The last lines of a runner's stderr.
#include "runner/stderr_tail.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace gaur {
namespace {

TEST(PlainLine, HasNoControlCharactersAndIsValidUtf8) {
  EXPECT_EQ(plain_line("\x1b[1;31merror:\x1b[0m no\tsuch \x07table\r", 300), "error: no such table");
  EXPECT_EQ(plain_line("half \xed\x95", 300), "half \xef\xbf\xbd")
      << "one for a truncated sequence, as in Node";
  EXPECT_EQ(plain_line("\x1b", 300), "");
  EXPECT_EQ(plain_line("\x1b[", 300), "");
  EXPECT_EQ(plain_line("가나다", 7), "가나");
  const std::string long_line = plain_line(std::string(1 << 20, '\xff'), 300);
  EXPECT_LE(long_line.size(), 300U);
  EXPECT_TRUE(json::is_utf8(long_line));
}

TEST(StderrTail, FindsThePythonExceptionAndTheCppMessage) {
  StderrTail tail;
  for (const char* line :
       {"Traceback (most recent call last):", "  File \"x.py\", line 1", "ValueError: too hot"})
    tail.add(line);
  EXPECT_EQ(tail.likely_cause(), "ValueError: too hot");
  tail.clear();
  EXPECT_EQ(tail.likely_cause(), "");
  tail.add("terminate called after throwing an instance of 'std::bad_alloc'");
  tail.add("  what():  std::bad_alloc");
  EXPECT_EQ(tail.likely_cause(), "  what():  std::bad_alloc");
}

// Recorded: node -e 'throw new Error("boom")' 2>&1, Node 20.
TEST(StderrTail, FindsTheNodeErrorAboveStackAndVersion) {
  StderrTail tail;
  for (const char* line :
       {"[eval]:1", "throw new Error(\"boom\")", "^", "", "Error: boom", "    at [eval]:1:7",
        "    at runScriptInThisContext (node:internal/vm:209:10)", "", "Node.js v20.11.0"})
    tail.add(line);
  EXPECT_EQ(tail.likely_cause(), "Error: boom");
  EXPECT_NE(tail.text().find("Error: boom\n    at [eval]:1:7"), std::string::npos);
}

TEST(StderrTail, IsBounded) {
  StderrTail tail;
  for (int i = 0; i < 1000; ++i) tail.add(std::to_string(i) + std::string(10'000, 'x'));
  EXPECT_LE(tail.text().size(), 20U * 301U);
  EXPECT_EQ(tail.text().substr(0, 4), "980x");
}

}  // namespace
}  // namespace gaur
