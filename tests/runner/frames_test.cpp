// The codec of the runner protocol: accepted frames, broken frames, and random bytes.
#include "runner/frames.hpp"

#include <gmock/gmock.h>

#include "base/json_text.hpp"
#include "base/manual_env.hpp"

namespace gaur {
namespace {

template <class T>
T parsed(std::string_view line) {
  const auto frame = parse_frame(line);
  if (!frame) {
    ADD_FAILURE() << frame.error().message;
    return {};
  }
  const T* wanted = std::get_if<T>(&*frame);
  if (wanted == nullptr) ADD_FAILURE() << "another kind of frame, " << frame->index();
  return wanted ? *wanted : T{};
}

TEST(Frames, KeepsTheBytesOfResults) {
  const auto done = parsed<frame::Completed>(
      R"( {"result" : {"n":1.10,"big":123456789012345678901234567890,"s":"\u0041é"} ,"type":"completed","run":"r"} )");
  EXPECT_EQ(done.result, R"({"n":1.10,"big":123456789012345678901234567890,"s":"\u0041é"})");
}

TEST(Frames, HasDefaultsForOptionalMembers) {
  EXPECT_EQ(parsed<frame::Completed>(R"({"type":"completed","run":"r"})").result, "null");
  const auto failed = parsed<frame::Failed>(R"({"type":"failed","run":"r","message":"m"})");
  EXPECT_EQ(failed.failure.code, "error");
  EXPECT_FALSE(failed.final);
  EXPECT_FALSE(failed.last);
  EXPECT_TRUE(parsed<frame::Failed>(R"({"type":"failed","run":"r","message":"m","last":true})").last);
  EXPECT_EQ(parsed<frame::Ready>(R"({"type":"ready"})").protocol, 1);
  EXPECT_EQ(parsed<frame::Snooze>(R"({"type":"snooze","run":"r","delay_ms":5000})").delay, Duration(5000));
}

TEST(Frames, ReadsUsageAndFile) {
  const auto done = parsed<frame::Completed>(
      R"({"type":"completed","run":"r","result":{},"file":{"name":"a.parquet","format":"parquet","rows":8},)"
      R"("usage":{"cpu_us":12,"peak_rss_bytes":34,"details":{"rows":[1, 2]}}})");
  ASSERT_TRUE(done.file);
  EXPECT_EQ(done.file->name, "a.parquet");
  EXPECT_EQ(done.file->rows, 8U);
  EXPECT_EQ(done.usage.cpu_us, 12U);
  EXPECT_EQ(done.usage.details, R"({"rows":[1, 2]})");
}

TEST(Frames, AcceptsUnknownTypesAndMembers) {
  EXPECT_EQ(parsed<frame::Unknown>(R"({"type":"hello","x":[{}]})").type, "hello");
  EXPECT_EQ(parsed<frame::Log>(R"({"type":"log","run":"r","line":"l","level":3})").line, "l");
}

TEST(Frames, NamesTheProblemOfABrokenFrame) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not JSON"},
      {"null", "object is expected"},
      {"[]", "object is expected"},
      {"{", "not JSON"},
      {"{} {}", "not JSON"},
      {"{\"type\":\"log\",\"run\":\"r\",\"line\":\"\xff\"}", "not JSON"},
      {"{}", "needs `type`"},
      {R"({"type":5})", "needs `type`"},
      {R"({"type":"completed"})", "a `completed` frame needs `run`"},
      {R"({"type":"completed","run":7})", "`run` of a `completed` frame must be a string"},
      {R"({"type":"failed","run":"r"})", "a `failed` frame needs `message`"},
      {R"({"type":"failed","run":"r","message":"m","final":"yes"})",
       "`final` of a `failed` frame must be true or false"},
      {R"({"type":"snooze","run":"r","delay_ms":-1})",
       "`delay_ms` of a `snooze` frame must be a whole number"},
      {R"({"type":"snooze","run":"r","delay_ms":1.5})",
       "`delay_ms` of a `snooze` frame must be a whole number"},
      {R"({"type":"completed","run":"r","usage":[]})", "`usage` of a `completed` frame must be an object"},
      {R"({"type":"completed","run":"r","usage":{"cpu_us":"1"}})", "`cpu_us` of a `usage` frame"},
      {R"({"type":"completed","run":"r","file":{"name":"x"}})", "needs `format`"},
  };
  for (const auto& [line, problem] : cases) {
    const auto frame = parse_frame(line);
    ASSERT_FALSE(frame) << line;
    EXPECT_THAT(frame.error().message, testing::HasSubstr(problem)) << line;
  }
}

TEST(Frames, RejectsDeepNesting) {
  const std::string deep = R"({"type":"completed","run":"r","result":)" + std::string(100'000, '[') +
                           std::string(100'000, ']') + "}";
  EXPECT_FALSE(parse_frame(deep));
}

RunRequest request_with(std::string data) {
  RunRequest request;
  request.taken.token = LockToken("w:1:0");
  request.taken.function = FunctionName("top");
  request.taken.job.queue = QueueName("query");
  request.taken.job.id = JobId("42");
  request.taken.job.name = "top";
  request.taken.job.data = std::move(data);
  return request;
}

TEST(Frames, WritesRunFramesAsOneLineOfJson) {
  RunRequest request = request_with("{\n  \"a\": \"x\\ny\"\r\n}");
  request.taken.job.name = "a \"quoted\"\nname";
  request.taken.job.attempts_made = 1;
  request.taken.job.attempts_started = 3;
  request.grant = {2, 2147483648};
  request.timeout = Duration(60'000);
  const std::string frame = run_frame(request).value();
  EXPECT_EQ(frame.find('\n'), frame.size() - 1);
  const auto object = json::parse_object(frame);
  ASSERT_TRUE(object);
  EXPECT_EQ(json::integer(*object, "attempt"), 2);
  EXPECT_EQ(json::integer(*object, "started"), 3);
  EXPECT_EQ(json::integer(*object, "memory"), 2147483648);
  EXPECT_EQ(json::integer(*object, "timeout_ms"), 60'000);
  EXPECT_EQ(json::serialize(*object->if_contains("data")), R"({"a":"x\ny"})");
}

TEST(RunFrame, RejectsDataThatIsNotJson) {
  for (const char* data :
       {R"({},"function":"other","memory":1)", "{\"a\":1}}", "1,2", "{", "\xEF\xBB\xBF{}", "{}\n{}"}) {
    const auto frame = run_frame(request_with(data));
    ASSERT_FALSE(frame) << data;
    EXPECT_EQ(frame.error().code, Errc::kInvalidArgument);
    EXPECT_THAT(frame.error().message, testing::StartsWith("the job's data cannot be read: not JSON"));
  }
}

TEST(RunFrame, RejectsDataThatIsTooLarge) {
  const auto frame = run_frame(request_with("\"" + std::string(kMaxFrameBytes, 'x') + "\""));
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, Errc::kTooLarge);
}

/// The frame of any job has each of its members exactly once.
TEST(RunFrameFuzz, ContainsEachMemberOnce) {
  constexpr std::string_view kPieces[] = {
      "{", "}", "\"", "\\", "\\ud83d", ",\"function\":\"x\"", ",\"memory\":1", ":", "1", "\n", "\xFF", "a"};
  SeededRandom random(11);
  const auto text = [&] {
    std::string made;
    for (std::uint64_t i = random.below(8); i > 0; --i) made += kPieces[random.below(std::size(kPieces))];
    return made;
  };
  int frames = 0;
  for (int round = 0; round < 20'000; ++round) {
    RunRequest request = request_with(random.below(2) == 0 ? text() : "{\"a\":" + json::quote(text()) + "}");
    request.taken.job.id = JobId(text());
    request.taken.job.name = text();
    request.taken.function = FunctionName("f" + text());
    const auto frame = run_frame(request);
    if (!frame) continue;
    ++frames;
    ASSERT_EQ(frame->find('\n'), frame->size() - 1);
    const auto members = json::members(*frame, {.max_depth = json::kFrameDepth});
    ASSERT_TRUE(members) << *frame;
    std::string keys;
    for (const auto& member : *members) keys += member.key + " ";
    ASSERT_EQ(keys, "type run queue id name function attempt started threads memory timeout_ms data ")
        << *frame;
  }
  EXPECT_GT(frames, 9'000);
}

TEST(Lines, AreCompleteForAnySplitOfTheStream) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> sent;
    std::string stream;
    for (std::uint64_t i = 0; i < 1 + random.below(20); ++i) {
      sent.emplace_back(random.below(300), static_cast<char>('a' + random.below(26)));
      stream += sent.back() + "\n";
    }
    LineSplitter lines(400);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t piece = 1 + random.below(97);
      lines.feed(std::string_view(stream).substr(at, piece));
      at += piece;
      while (const auto line = lines.next()) got.emplace_back(*line);
    }
    ASSERT_EQ(got, sent) << "round " << round;
    EXPECT_FALSE(lines.too_long());
  }
}

TEST(Lines, CountTheNewlineTowardsTheLimit) {
  LineSplitter fits(10);
  fits.feed("123456789\n");
  EXPECT_EQ(fits.next(), "123456789");
  LineSplitter longer(10);
  longer.feed("1234567890\n");
  EXPECT_FALSE(longer.next());
  EXPECT_TRUE(longer.too_long());
  LineSplitter endless(10);
  endless.feed("12345678901");
  EXPECT_FALSE(endless.next());
  EXPECT_TRUE(endless.too_long());
}

/// Valid frames with random damage: each is parsed or rejected with a message.
TEST(FramesFuzz, DamagedFramesAreParsedOrRejected) {
  const std::string seeds[] = {
      R"({"type":"completed","run":"w:1:0","result":{"a":[1,2.5e3,"x\u00e9\n",null,true]},"usage":{"cpu_us":1,"details":{}}})",
      R"({"type":"failed","run":"w:1:0","message":"no","code":"error","final":true,"details":{"position":7}})",
      R"({"type":"progress","run":"w:1:0","value":{"done":0.5}})",
      R"({"type":"completed","run":"w:1:0","result":{},"file":{"name":"r","format":"csv","rows":1}})",
      R"({"type":"snooze","run":"w:1:0","delay_ms":50})"};
  SeededRandom random(20'26);
  int rejected = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string line = seeds[random.below(std::size(seeds))];
    for (std::uint64_t hits = 1 + random.below(4); hits > 0 && !line.empty(); --hits) {
      const std::size_t at = random.below(line.size());
      switch (random.below(4)) {
        case 0: line[at] = static_cast<char>(random.below(256)); break;
        case 1: line.erase(at, 1 + random.below(8)); break;
        case 2: line.insert(at, 1, "{}[]\",:\\\0"[random.below(9)]); break;
        default: line.insert(at, line.substr(random.below(line.size()), random.below(30)));
      }
    }
    const auto frame = parse_frame(line);
    if (frame) continue;
    ++rejected;
    ASSERT_FALSE(frame.error().message.empty()) << line;
  }
  EXPECT_GT(rejected, 30'000);
}

}  // namespace
}  // namespace gaur
