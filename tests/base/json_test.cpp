#include "base/json.hpp"

#include <gmock/gmock.h>

namespace gaur::json {
namespace {

using testing::HasSubstr;

TEST(Json, ReportsLineAndColumn) {
  struct Case {
    std::string_view text, position;
  };
  for (const auto& [text, position] : std::vector<Case>{
           {"{\"a\":}", "line 1, column 6"},
           {"{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7"},
           {"[1,2] x", "line 1, column 7"},
           {"{\"a\":1", "line 1, column 7"},
           {"[1,]", "line 1, column 4"},
           {"[nan]", "line 1, column"},
           {"\"\x01\"", "line 1, column 2"},
       }) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kInvalidArgument) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(position)) << text;
  }
}

TEST(Json, RejectsBlankTexts) {
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse("  \n"));
}

TEST(Json, EnforcesLimitsOfBytesAndDepth) {
  EXPECT_TRUE(parse("[1]", {.max_bytes = 3}));
  const auto big = parse("[10]", {.max_bytes = 3});
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error(), (Error{Errc::kTooLarge, "JSON of 4 bytes, at most 3 are allowed"}));

  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse(nested(64)));
  EXPECT_FALSE(parse(nested(65)));
  EXPECT_FALSE(parse(nested(1'000'000))) << "deep nesting must not take the stack";
}

TEST(Json, AcceptsOnlyObjectsAsObject) {
  EXPECT_TRUE(parse_object("{}"));
  for (const auto* text : {"[]", "1", "null", "\"{}\""}) {
    const auto parsed = parse_object(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("object is expected"));
  }
}

TEST(Json, RejectsInvalidUtf8) {
  struct Case {
    std::string_view name, bytes;
    bool valid;
  };
  for (const auto& [name, bytes, valid] : std::vector<Case>{
           {"ascii", "abc", true},
           {"empty", "", true},
           {"NUL", std::string_view("\0", 1), true},
           {"two bytes, lowest", "\xC2\x80", true},
           {"two bytes, highest", "\xDF\xBF", true},
           {"Hangul", "한글", true},
           {"three bytes, lowest", "\xE0\xA0\x80", true},
           {"last before the surrogates", "\xED\x9F\xBF", true},
           {"first after the surrogates", "\xEE\x80\x80", true},
           {"emoji", "\xF0\x9F\x90\x82", true},
           {"four bytes, lowest", "\xF0\x90\x80\x80", true},
           {"highest code point", "\xF4\x8F\xBF\xBF", true},
           {"lone continuation", "\x80", false},
           {"overlong slash", "\xC0\xAF", false},
           {"overlong C1", "\xC1\xBF", false},
           {"overlong in three", "\xE0\x9F\xBF", false},
           {"low surrogate", "\xED\xA0\x80", false},
           {"high surrogate", "\xED\xBF\xBF", false},
           {"overlong in four", "\xF0\x8F\xBF\xBF", false},
           {"above the last", "\xF4\x90\x80\x80", false},
           {"F5", "\xF5\x80\x80\x80", false},
           {"FF", "\xFF", false},
           {"cut after one of two", "\xC2", false},
           {"cut after one of three", "\xED", false},
           {"cut after two of three", "\xED\x95", false},
           {"cut after three of four", "\xF0\x9F\x90", false},
           {"a letter where one must continue", "\xC3(", false},
       }) {
    EXPECT_EQ(is_utf8(bytes), valid) << name;
    EXPECT_EQ(static_cast<bool>(parse("\"" + std::string(bytes) + "\"")),
              valid && bytes != std::string_view("\0", 1))
        << name;
  }
}

TEST(Json, QuotesOnOneLine) {
  struct Case {
    std::string_view text, quoted;
  };
  for (const auto& [text, quoted] : std::vector<Case>{
           {"", R"("")"},
           {"a\"b\\c", R"("a\"b\\c")"},
           {"a\n\r\tb", R"("a\n\r\tb")"},
           {std::string_view("\0\x1f\x7f", 3), R"("\u0000\u001f\u007f")"},
           {"한글", "\"한글\""},
           {"\xFFok", "\"\xEF\xBF\xBDok\""},
           {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
       }) {
    EXPECT_EQ(quote(text), quoted);
    EXPECT_TRUE(parse(quote(text)));
  }
}

TEST(Json, SerializeStaysOnOneLineAndParsesBack) {
  const auto value = parse("{\"a\":[1,2.5,null,true],\"b\":\"line\\nbreak \\u0000\"}");
  ASSERT_TRUE(value);
  const std::string text = serialize(*value);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto again = parse(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *value);
}

TEST(Json, SerializesNumbersOutsideTheRangeOfADoubleAsJson) {
  const auto value = parse(R"([1e400,-1e400,"Infinity\\",{"\"Infinity":1e309}])");
  ASSERT_TRUE(value);
  const std::string text = serialize(*value);
  EXPECT_EQ(text, R"([1e999,-1e999,"Infinity\\",{"\"Infinity":1e999}])");
  EXPECT_EQ(parse(text), value);
}

TEST(Json, FindFollowsADottedPath) {
  const auto value = parse(R"({"data":{"params":{"day":"x"},"n":null},"list":[1]})");
  ASSERT_TRUE(value);
  EXPECT_EQ(find(*value, ""), &*value);
  ASSERT_NE(find(*value, "data.params.day"), nullptr);
  EXPECT_EQ(*find(*value, "data.params.day"), Value("x"));
  ASSERT_NE(find(*value, "data.n"), nullptr);
  EXPECT_TRUE(find(*value, "data.n")->is_null());
  for (const auto* path : {"nothing", "data.nothing", "data.params.day.deeper", "list.0", "."}) {
    EXPECT_EQ(find(*value, path), nullptr) << path;
  }
}

TEST(Json, TextOrTakesTextsOnly) {
  const auto object = *parse_object(R"({"a":"x","b":1})");
  EXPECT_EQ(text_or(object, "a", "-"), "x");
  EXPECT_EQ(text_or(object, "b", "-"), "-");
  EXPECT_EQ(text_or(object, "c", "-"), "-");
}

TEST(Json, IntegerTakesWholeNumbersOnly) {
  const auto object = *parse_object(
      R"({"i":-7,"whole":3.0,"part":3.5,"huge":1e300,"text":"3","big":9223372036854775807,"over":9223372036854775808})");
  EXPECT_EQ(integer(object, "i"), -7);
  EXPECT_EQ(integer(object, "whole"), 3);
  EXPECT_EQ(integer(object, "big"), 9223372036854775807);
  for (const auto* key : {"part", "huge", "text", "over", "none"})
    EXPECT_EQ(integer(object, key), std::nullopt) << key;
}

}  // namespace
}  // namespace gaur::json
