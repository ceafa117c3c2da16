#include "redis/parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/manual_env.hpp"
#include "redis/encoder.hpp"

namespace gaur::redis {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

/// A reply as text: "text", 1, 1.5d, #t, nil, -ERR, [..]; pushes begin with >.
std::string shown(const Reply& reply) {
  struct Show {
    std::string operator()(const Reply::Nil&) const { return "nil"; }
    std::string operator()(const std::string& text) const { return '"' + text + '"'; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const {
      if (std::isnan(number)) return "nan";
      if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
      return std::to_string(number) + "d";
    }
    std::string operator()(bool value) const { return value ? "#t" : "#f"; }
    std::string operator()(const Reply::Failure& failure) const { return "-" + failure.text; }
    std::string operator()(const Reply::Array& items) const {
      std::string all = "[";
      for (const auto& item : items) all += (all.size() > 1 ? " " : "") + shown(item);
      return all + "]";
    }
  };
  return std::visit(Show{}, reply.value);
}

/// Everything that the parser finds; the error, if it ends with one.
std::string parse_all(Parser& parser) {
  std::string all;
  while (true) {
    auto incoming = parser.next();
    if (!incoming) return all + "!" + incoming.error().message;
    if (!*incoming) return all;
    all += ((*incoming)->push ? ">" : "") + shown((*incoming)->reply) + ";";
  }
}
std::string parse(std::string_view bytes, ParserLimits limits = {}) {
  Parser parser(limits);
  parser.feed(bytes);
  return parse_all(parser);
}

const std::pair<std::string, std::string> kGood[] = {
    {"+OK\r\n", "\"OK\";"},
    {"+\r\n", "\"\";"},
    {"-ERR no\r\n", "-ERR no;"},
    {":0\r\n:-7\r\n:9223372036854775807\r\n:-9223372036854775808\r\n",
     "0;-7;9223372036854775807;-9223372036854775808;"},
    {"$0\r\n\r\n", "\"\";"},
    {"$5\r\na\r\n\0b\r\n"s, "\"a\r\n\0b\";"s},
    {"$-1\r\n*-1\r\n_\r\n", "nil;nil;nil;"},
    {"*0\r\n", "[];"},
    {"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", "[[1] \"x\"];"},
    {"*3\r\n$-1\r\n-ERR in a list\r\n*0\r\n", "[nil -ERR in a list []];"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "[\"a\" 1 \"b\" 2];"},
    {"%0\r\n~0\r\n~2\r\n:1\r\n:2\r\n", "[];[];[1 2];"},
    {"#t\r\n#f\r\n", "#t;#f;"},
    {",1.5\r\n,-2e3\r\n,inf\r\n,-inf\r\n,nan\r\n", "1.500000d;-2000.000000d;inf;-inf;nan;"},
    {"(3492890328409238509324850943850943825024385\r\n", "\"3492890328409238509324850943850943825024385\";"},
    {"=8\r\ntxt:some\r\n", "\"some\";"},
    {"!5\r\nERR x\r\n", "-ERR x;"},
    {">2\r\n+message\r\n+hello\r\n:1\r\n", ">[\"message\" \"hello\"];1;"},
    {"|1\r\n+ttl\r\n:3\r\n*2\r\n|1\r\n+a\r\n*1\r\n:9\r\n:1\r\n:2\r\n", "[1 2];"},
    {"|0\r\n:1\r\n", "1;"},
};

TEST(Parser, understands_every_kind_of_reply) {
  for (const auto& [bytes, expected] : kGood) EXPECT_EQ(parse(bytes), expected) << bytes;
}

TEST(Parser, accepts_any_split_of_the_bytes) {
  for (const auto& [bytes, expected] : kGood) {
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      Parser parser;
      std::string all;
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        parser.feed(std::string_view(bytes).substr(at, size));
        all += parse_all(parser);
      }
      ASSERT_EQ(all, expected) << bytes << " in pieces of " << size;
    }
  }
}

TEST(Parser, returns_nothing_before_a_reply_is_complete) {
  for (const auto& [bytes, expected] : kGood) {
    Parser parser;
    parser.feed(std::string_view(bytes).substr(0, bytes.size() - 1));
    std::string all = parse_all(parser);
    EXPECT_LT(all.size(), expected.size());
    parser.feed(std::string_view(bytes).substr(bytes.size() - 1));
    EXPECT_EQ(all + parse_all(parser), expected);
  }
}

TEST(Parser, rejects_malformed_replies) {
  const std::pair<std::string, const char*> cases[] = {
      {"\r\n", "empty line"},
      {"HTTP/1.1 400 Bad Request\r\n", "\"HTTP/1.1 400"},
      {"?\r\n", "begins no reply"},
      {"\x01\xff\r\n", "\"??\""},
      {"+a\rb\r\n", "CR without LF"},
      {":\r\n", "begins no reply"},
      {":1x\r\n", "begins no reply"},
      {":+1\r\n", "begins no reply"},
      {":9223372036854775808\r\n", "begins no reply"},
      {",1.5.2\r\n", "begins no reply"},
      {"#x\r\n", "begins no reply"},
      {"_x\r\n", "begins no reply"},
      {"$\r\n", "length \"\""},
      {"$-2\r\n", "length \"-2\""},
      {"$1x\r\n", "length \"1x\""},
      {"$+1\r\n", "length \"+1\""},
      {"$99999999999999999999\r\n", "length"},
      {"$?\r\n", "length"},
      {"!-1\r\n", "length \"-1\""},
      {"$1\r\nab\r\n", "longer than announced"},
      {"$1\r\na\nx", "longer than announced"},
      {"=3\r\ntxt\r\n", "without its type"},
      {"=8\r\ntxtxsome\r\n", "without its type"},
      {"~-2\r\n", "\"-2\" elements"},
      {"*-2\r\n", "\"-2\" elements"},
      {"%-1\r\n", "\"-1\" elements"},
      {">-1\r\n", "\"-1\" elements"},
      {"*18446744073709551615\r\n", "elements"},
      {"%9223372036854775808\r\n", "elements"},
      {"*1\r\n>1\r\n:1\r\n", "a push inside"},
  };
  for (const auto& [bytes, expected] : cases) EXPECT_THAT(parse(bytes), HasSubstr(expected)) << bytes;
}

TEST(Parser, stays_broken) {
  Parser parser;
  parser.feed(":1\r\n?\r\n:2\r\n");
  EXPECT_THAT(parse_all(parser), testing::StartsWith("1;!the server does not speak the Redis protocol"));
  parser.feed(":3\r\n");
  EXPECT_EQ(parser.next().error().code, Errc::kCorrupt);
}

TEST(Parser, obeys_its_limits) {
  const ParserLimits small{.depth = 3, .elements = 10, .bytes = 100, .line = 20};
  EXPECT_EQ(parse("*1\r\n*1\r\n*1\r\n:1\r\n", small), "[[[1]]];");
  EXPECT_THAT(parse("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", small), HasSubstr("more than 3 levels"));
  EXPECT_THAT(parse("*11\r\n", small), HasSubstr("\"11\" elements"));
  EXPECT_THAT(parse("%6\r\n", small), HasSubstr("\"6\" elements"));
  EXPECT_THAT(parse("*2\r\n*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*4\r\n", small), HasSubstr("\"4\" elements"));
  EXPECT_THAT(parse("$101\r\n", small), HasSubstr("length \"101\""));
  EXPECT_THAT(parse("*2\r\n$60\r\n" + std::string(60, 'x') + "\r\n$60\r\n", small),
              HasSubstr("length \"60\""));
  EXPECT_THAT(parse("+" + std::string(21, 'x'), small), HasSubstr("more than 20 bytes"));
  EXPECT_THAT(parse("+" + std::string(21, 'x') + "\r\n", small), HasSubstr("more than 20 bytes"));
  // One reply after the other: each has the whole bound.
  EXPECT_EQ(
      parse("$60\r\n" + std::string(60, 'x') + "\r\n$60\r\n" + std::string(60, 'x') + "\r\n", small).size(),
      2 * 63U);
}

TEST(Parser, allocates_no_more_than_what_arrives) {
  // Half a gigabyte and four million elements are announced; with either allocated at once this would show.
  Parser text, list;
  text.feed("$536870000\r\nabc");
  list.feed("*4194304\r\n:1\r\n");
  EXPECT_EQ(parse_all(text), "");
  EXPECT_EQ(parse_all(list), "");
}

TEST(Parser, accepts_a_string_of_megabytes_in_small_pieces) {
  const std::string big(std::size_t{8} << 20U, 'x');
  const std::string bytes = "$" + std::to_string(big.size()) + "\r\n" + big + "\r\n:1\r\n";
  Parser parser;
  std::vector<Reply> replies;
  for (std::size_t at = 0; at < bytes.size(); at += 1000) {
    parser.feed(std::string_view(bytes).substr(at, 1000));
    for (auto incoming = parser.next(); incoming && *incoming; incoming = parser.next()) {
      replies.push_back(std::move((*incoming)->reply));
    }
  }
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(*replies[0].text(), big);
  EXPECT_EQ(*replies[1].integer(), 1);
}

TEST(Encoder, writes_commands_as_arrays_of_strings) {
  const std::vector<std::string> command{"SET", "", "a\r\nb"};
  EXPECT_EQ(encode(command), "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\r\nb\r\n");
}

/// Mutated and split replies: no crash, no memory above the limits, and the same result for every split.
/// Seeded, so that a failure can be reproduced.
TEST(Parser, survives_mutations_independently_of_the_split) {
  SeededRandom random(20'261'122);
  const ParserLimits limits{.depth = 8, .elements = 1000, .bytes = 10'000, .line = 200};
  std::string corpus;
  for (const auto& [bytes, expected] : kGood) corpus += bytes;
  constexpr std::string_view kSpice = "+-:$*_#,(!=%~>|\r\n0123456789tf?";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = corpus.substr(random.below(corpus.size()));
    bytes.resize(std::min<std::size_t>(bytes.size(), 1 + random.below(200)));
    for (std::uint64_t mutations = random.below(6); mutations > 0; --mutations) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0: bytes[at] = static_cast<char>(random.next()); break;
        case 1: bytes[at] = kSpice[random.below(kSpice.size())]; break;
        case 2: bytes.insert(at, 1, kSpice[random.below(kSpice.size())]); break;
        default: bytes.erase(at, 1); bytes += '\n';
      }
    }
    const std::string whole = parse(bytes, limits);
    Parser parser(limits);
    std::string pieces;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + random.below(20);
      parser.feed(std::string_view(bytes).substr(at, size));
      const std::string found = parse_all(parser);
      pieces += found;
      at += size;
      if (found.find("!the server") != std::string::npos) break;
    }
    ASSERT_EQ(pieces.substr(0, pieces.find("!the")), whole.substr(0, whole.find("!the")))
        << "round " << round << ": " << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace gaur::redis
