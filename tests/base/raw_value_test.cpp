#include "base/raw_value.hpp"

#include <gtest/gtest.h>

namespace gaur::json {
namespace {

TEST(RawValue, KeepsEveryDigitAtEveryDepth) {
  const RawValue value(
      R"({"a":[12345678901234.5678, 18446744073709551616,1E400 ,-0.0],"b":{"c":"x\"]"},"b":{"c":1.50}})");
  const auto list = value.find("a");
  ASSERT_TRUE(list);
  std::string texts;
  for (const auto& item : list->items()) texts += item.text() + ";";
  EXPECT_EQ(texts, "12345678901234.5678;18446744073709551616;1E400;-0.0;");
  EXPECT_EQ(value.find("b.c")->text(), "1.50") << "the last member of a name counts";
  EXPECT_EQ(value.find("")->text(), value.text());
  EXPECT_FALSE(value.find("a.b"));
  EXPECT_FALSE(value.find("b.d"));
}

TEST(RawValue, KnowsItsKind) {
  EXPECT_TRUE(RawValue().is_null());
  EXPECT_TRUE(RawValue("-1").is_number());
  EXPECT_TRUE(RawValue("true").flag());
  EXPECT_TRUE(RawValue("false").is_bool());
  EXPECT_EQ(RawValue(R"("\ud55c\n")").string(), "한\n");
  EXPECT_EQ(RawValue("5").string(), "");
  EXPECT_TRUE(RawValue("[ ]").items().empty());
  EXPECT_TRUE(RawValue("{}").members().empty());
  EXPECT_TRUE(RawValue("[1]").members().empty());
}

TEST(RawValue, FindsNumbersThatJsonValueWouldChange) {
  for (const char* kept :
       {"18446744073709551615", "-9223372036854775808", "[0.1,1e300,95.82093798396099]", "1.50", "-0.0",
        R"({"12345678901234.5678":"12345678901234.5678\""})", "9007199254740992.0", "1e22"})
    EXPECT_EQ(inexact_number(kept), std::nullopt) << kept;
  EXPECT_EQ(inexact_number("[1,12345678901234.5678]"), "12345678901234.5678");
  EXPECT_EQ(inexact_number("18446744073709551617"), "18446744073709551617");
  EXPECT_EQ(inexact_number(R"({"a":9007199254740993.0})"), "9007199254740993.0");
  EXPECT_EQ(inexact_number("1e309"), "1e309");
  EXPECT_EQ(inexact_number("-0.10000000000000001"), "-0.10000000000000001");
}

}  // namespace
}  // namespace gaur::json
