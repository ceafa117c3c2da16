#include "base/log.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "base/json.hpp"

namespace gaur {
namespace {

class CapturingSink final : public LogSink {
 public:
  void write(const LogRecord& record) override {
    std::lock_guard lock(mutex_);
    text.push_back(std::string(to_string(record.level)) + " " + format_log_text(record));
    members.push_back(format_log_json(record));
  }
  std::vector<std::string> text;
  std::vector<std::string> members;

 private:
  std::mutex mutex_;
};

struct LogTest : testing::Test {
  std::shared_ptr<CapturingSink> sink = std::make_shared<CapturingSink>();
  Logger log{sink, LogLevel::kInfo};
};

TEST_F(LogTest, WritesMessageAndFieldsInOrder) {
  log.info("job taken",
           {{"queue", QueueName("query")}, {"n", 3}, {"wait_ms", Duration(250)}, {"late", false}});
  EXPECT_THAT(sink->text, testing::ElementsAre("info job taken queue=query n=3 wait_ms=250 late=false"));
}

TEST_F(LogTest, DropsLinesBelowTheLevel) {
  log.debug("not this");
  EXPECT_FALSE(log.enabled(LogLevel::kDebug));
  log.warn("but this");
  log.error("and this");
  EXPECT_THAT(sink->text, testing::ElementsAre("warn but this", "error and this"));
}

TEST_F(LogTest, DiscardsWithoutASink) {
  Logger silent;
  EXPECT_FALSE(silent.enabled(LogLevel::kError));
  silent.with({{"a", 1}}).error("nobody hears");
}

TEST_F(LogTest, PutsBoundFieldsFirst) {
  const Logger bound = log.with({{"pool", "sql"}}).with({{"pid", 7}});
  bound.info("ready", {{"ms", 3}});
  log.info("plain");
  EXPECT_THAT(sink->text, testing::ElementsAre("info ready pool=sql pid=7 ms=3", "info plain"));
}

TEST_F(LogTest, EscapesValuesThatForgeLinesOrFields) {
  struct Case {
    std::string value, written;
  };
  for (const auto& [value, written] : std::vector<Case>{
           {"two words", R"("two words")"},
           {"", R"("")"},
           {"a\nerror forged", R"("a\nerror forged")"},
           {"\x1b[31mred", R"("\u001b[31mred")"},
           {std::string("nul\0nul", 7), R"("nul\u0000nul")"},
           {"say \"hi\"", R"("say \"hi\"")"},
           {"k=v", R"("k=v")"},
           {"back\\slash", R"("back\\slash")"},
           {"검색", "\"검색\""},
           {"broken \xC3\x28", "\"broken \xEF\xBF\xBD(\""},
           {"plain/path-1.json", "plain/path-1.json"},
       }) {
    sink->text.clear();
    log.info("m", {{"v", value}});
    EXPECT_THAT(sink->text, testing::ElementsAre("info m v=" + written));
  }
  sink->text.clear();
  log.info("message\r\nwith breaks");
  EXPECT_THAT(sink->text, testing::ElementsAre(R"(info message\r\nwith breaks)"));
}

TEST_F(LogTest, JsonMembersParseAndKeepTypes) {
  log.info("done \"now\"", {{"n", -4},
                            {"share", 0.5},
                            {"bad", std::numeric_limits<double>::infinity()},
                            {"yes", true},
                            {"text", "a\tb"}});
  const auto object = json::parse_object("{" + sink->members.at(0) + "}");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(
      json::serialize(json::Value(*object)),
      R"({"level":"info","message":"done \"now\"","n":-4,"share":5E-1,"bad":"inf","yes":true,"text":"a\tb"})");
}

TEST_F(LogTest, LevelsAreReadBackFromTheirNames) {
  for (const auto level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

TEST(StderrSink, WritesOneLineACall) {
  testing::internal::CaptureStderr();
  Logger(stderr_log_sink(), LogLevel::kInfo).warn("disk nearly full", {{"free_mb", 12}});
  Logger(stderr_log_sink(LogFormat::kJson), LogLevel::kInfo).info("ready");
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(
      out, testing::ContainsRegex(
               "^20..-..-..T..:..:..\\....Z warn  disk nearly full free_mb=12\n"
               "\\{\"time\":\"20..-..-..T..:..:..\\....Z\",\"level\":\"info\",\"message\":\"ready\"\\}\n$"));
}

}  // namespace
}  // namespace gaur
