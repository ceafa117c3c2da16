// Texts are shortened between characters, never within one.
#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace gaur {
namespace {

TEST(Utf8, CutsNeitherASequenceNorACluster) {
  const auto expect = [](std::string_view text, std::size_t bytes, std::string_view cut) {
    EXPECT_EQ(utf8_prefix(text, bytes), cut) << bytes << " bytes of " << text;
  };
  expect("abc", 3, "abc");
  expect("abc", 2, "ab");
  expect("abc", 0, "");
  expect("", 5, "");
  for (const std::size_t bytes : {1, 2}) expect("é가", bytes, bytes == 2 ? "é" : "");
  for (const std::size_t bytes : {2, 3, 4}) expect("é가", bytes, "é");
  expect("é가", 5, "é가");
  for (const std::size_t bytes : {1, 2, 3, 4}) expect("a😀b", bytes, "a");
  expect("a😀b", 5, "a😀");
  expect("xe\u0301y", 2, "x");  // e and a combining acute
  expect("xe\u0301y", 3, "x");
  expect("xe\u0301y", 4, "xe\u0301");
  expect("x\U0001F44D\U0001F3FD", 5, "x");  // a thumb and its skin tone
  const std::string family = "\U0001F468\u200D\U0001F469\u200D\U0001F467";
  for (std::size_t bytes = 1; bytes < 1 + family.size(); ++bytes) expect("x" + family, bytes, "x");
  expect("x" + family, 1 + family.size(), "x" + family);
  expect("x\u1112\u1161\u11AB!", 7, "x");            // one syllable of decomposed Hangul
  expect("\u1112\u1161\u11AB!", 6, "\u1112\u1161");  // rather a part than nothing
}

TEST(Utf8, ALongClusterIsCutBetweenItsCodePoints) {
  std::string zalgo = "a";
  for (int i = 0; i < 1'000; ++i) zalgo += "\u0301";
  const std::string_view cut = utf8_prefix(zalgo, 500);
  EXPECT_EQ(cut.size(), 499U);
  EXPECT_TRUE(json::is_utf8(cut));
}

TEST(Utf8, EveryCutOfValidTextIsValidAndNearlyAsLongAsAsked) {
  const std::string text =
      "Größe: 가격은 ₩9,900 👨‍👩‍👧 e\u0301té \U0001F44D\U0001F3FD \u1112\u1161\u11AB "
      "日本語";
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    std::string cut = text;
    cut_utf8(cut, bytes);
    EXPECT_TRUE(text.starts_with(cut) && json::is_utf8(cut)) << bytes;
    EXPECT_LE(cut.size(), bytes);
    EXPECT_GE(cut.size() + 64, bytes);
  }
}

TEST(Utf8, OtherBytesAreLeftAlone) {
  const std::string noise = "\xff\xfe\x80\x80\x80\x80\x80\x80";
  for (std::size_t bytes = 0; bytes <= noise.size(); ++bytes)
    EXPECT_LE(utf8_prefix(noise, bytes).size(), bytes);
  EXPECT_EQ(utf8_prefix(noise, 8), noise);
}

}  // namespace
}  // namespace gaur
