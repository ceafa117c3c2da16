#include "base/json_text.hpp"

#include <gmock/gmock.h>

#include "base/manual_env.hpp"
#include "base/unicode.hpp"

namespace gaur::json {
namespace {

TEST(JsonText, MembersAreViewsOfTheRawText) {
  const std::string text = R"( { "a" : 1.10 , "b\n" : {"x":[1,"}]"]} ,"c":"q\"uote", "d":null , "e":-0 } )";
  const auto found = members(text);
  ASSERT_TRUE(found) << found.error().message;
  std::vector<std::pair<std::string, std::string>> got;
  for (const auto& member : *found) got.emplace_back(member.key, std::string(member.value));
  EXPECT_THAT(got, testing::ElementsAre(testing::Pair("a", "1.10"), testing::Pair("b\n", R"({"x":[1,"}]"]})"),
                                        testing::Pair("c", R"("q\"uote")"), testing::Pair("d", "null"),
                                        testing::Pair("e", "-0")));
  EXPECT_TRUE(members("{}")->empty());
  EXPECT_TRUE(members(" {  } ")->empty());
}

TEST(JsonText, RejectsNonObjects) {
  for (const char* text :
       {"", " ", "[]", "1", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x", "{'a':1}", "{\"a\":\"\t\"}"}) {
    EXPECT_FALSE(members(text)) << text;
  }
}

TEST(JsonText, CompactDropsOnlySpaceBetweenTokens) {
  EXPECT_EQ(compact("{ \"a b\" : [ 1 ,\n \"c  \\\" d\" ] }"), "{\"a b\":[1,\"c  \\\" d\"]}");
}

TEST(JsonText, OneLineKeepsEscapedBreaks) {
  EXPECT_EQ(one_line("{\n\"a\":\r\n\"x\\ny\"}"), "{ \"a\":  \"x\\ny\"}");
}

TEST(JsonText, UnquoteReadsEscapes) {
  EXPECT_EQ(unquote("\"plain\""), "plain");
  EXPECT_EQ(unquote(R"("\u0000\u00e9\"")"), std::string("\0é\"", 4));
  EXPECT_FALSE(unquote("5"));
  EXPECT_FALSE(unquote("\""));
}

// Expected: node -p "Buffer.from('...','hex').toString()" and JSON.parse of it.
TEST(Fragment, AcceptsWhatJsonParseAccepts) {
  const auto read = [](std::string_view bytes) {
    auto fragment = Fragment::read(bytes);
    return fragment ? std::move(*fragment).take() : "refused";
  };
  EXPECT_EQ(read(R"({"a":"\ud83d"})"), R"({"a":"\ud83d"})") << "half a pair, as JSON.stringify writes it";
  EXPECT_EQ(read(R"({"a":"\ud83d\ude00\ude00"})"), R"({"a":"\ud83d\ude00\ude00"})");
  EXPECT_EQ(read("\"\xED\xA0\xBD\""), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "the same as raw bytes";
  EXPECT_EQ(read("\"\xF0\x9F\x98\""), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(read("123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(read("1e99999999999"), "1e99999999999");
  EXPECT_EQ(read("{\"a\":1,\n\"a\":2,\"__proto__\":3}"), "{\"a\":1, \"a\":2,\"__proto__\":3}");
  EXPECT_EQ(read(R"("\u0000")"), R"("\u0000")");
  for (const char* text :
       {"", " ", "\xEF\xBB\xBF{}", "{}{}", "1}", "NaN", "{a:1}", "[1,]", "\"\\ud8\"", "01", "\"\n\""})
    EXPECT_EQ(read(text), "refused") << text;
}

TEST(Fragment, IsBoundedInDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Fragment::read(nested(kPeerDepth)));
  EXPECT_FALSE(Fragment::read(nested(kPeerDepth + 1)));
  EXPECT_EQ(Fragment::read_or_quote(nested(kPeerDepth + 1)).view().front(), '"');
}

/// Whatever the bytes are, beside others the fragment is one value and nothing more.
TEST(FragmentFuzz, StaysOneValueInAnObject) {
  constexpr std::string_view kPieces[] = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          ",",
                                          ":",
                                          "\"",
                                          "\\",
                                          "\\u",
                                          "d83d",
                                          "1",
                                          "e9",
                                          "null",
                                          "\n",
                                          "\xED\xA0",
                                          "\xFF",
                                          "\"a\":",
                                          " ",
                                          "},\"function\":\"other\"",
                                          "\\\"",
                                          std::string_view("\0", 1)};
  SeededRandom random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (std::uint64_t i = random.below(12); i > 0; --i) bytes += kPieces[random.below(std::size(kPieces))];
    const Fragment fragment = Fragment::read_or_quote(bytes);
    const std::string frame = "{\"function\":\"f\",\"data\":" + std::string(fragment.view()) + "}";
    ASSERT_TRUE(unicode::is_utf8(frame)) << quote(bytes);
    ASSERT_EQ(frame.find('\n'), std::string::npos) << quote(bytes);
    const auto object = parse_object(frame, {.max_depth = kFrameDepth});
    ASSERT_TRUE(object) << quote(bytes);
    ASSERT_EQ(object->size(), 2U) << quote(bytes);
    ASSERT_EQ(text_or(*object, "function", ""), "f") << quote(bytes);
  }
}

/// The cutter agrees with the library on random objects: what it cuts out, parsed, equals what the library
/// finds.
TEST(JsonTextFuzz, AgreesWithTheLibrary) {
  SeededRandom random(5);
  const std::function<std::string(int)> value = [&](int depth) -> std::string {
    switch (random.below(depth > 3 ? 4 : 6)) {
      case 0: return std::to_string(random.below(1000)) + ".5";
      case 1: return quote(std::string(random.below(6), static_cast<char>(random.below(128))) + "\"]}{,:");
      case 2: return random.below(2) ? "true" : "null";
      case 3: return " -12 ";
      case 4: return "[" + value(depth + 1) + ", " + value(depth + 1) + "]";
      default: return "{\"k\" :" + value(depth + 1) + "}";
    }
  };
  for (int round = 0; round < 2'000; ++round) {
    std::string text = "{";
    for (std::uint64_t i = 0; i < random.below(6); ++i) {
      text += (i ? " ,\n" : "") + quote("key" + std::to_string(i)) + ": " + value(0);
    }
    text += "}";
    const auto cut = members(text);
    const auto whole = parse_object(text);
    ASSERT_TRUE(cut && whole) << text;
    ASSERT_EQ(cut->size(), whole->size()) << text;
    for (const auto& member : *cut) ASSERT_EQ(*parse(member.value), whole->at(member.key)) << text;
    ASSERT_EQ(*parse(compact(text)), Value(*whole));
  }
}

}  // namespace
}  // namespace gaur::json
