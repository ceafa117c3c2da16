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

}  // namespace
}  // namespace gaur::json
