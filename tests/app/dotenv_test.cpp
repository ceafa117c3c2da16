#include "app/config/dotenv.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace gaur::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> values(const std::string& text, std::vector<std::string>* complaints = nullptr) {
  std::vector<Problem> problems;
  std::vector<std::string> lines;
  for (const Variable& variable : parse_dotenv(text, ".env", "", problems))
    lines.push_back(std::to_string(variable.origin.line) + " " + variable.name + "=" + variable.value);
  if (complaints == nullptr) {
    EXPECT_THAT(problems, IsEmpty()) << to_string(problems.front());
  } else {
    for (const Problem& problem : problems) complaints->push_back(to_string(problem));
  }
  return lines;
}

TEST(Dotenv, ReadsTheFileOfABullDeployment) {
  EXPECT_THAT(
      values("# production\nREDIS_HOST=10.0.0.5\nREDIS_PORT = 6380\n\nexport BULL_COUNT=1 # a machine\n"
             "BULL_QUEUE_NAME='ncs_resource::'\nEMPTY=\nLAST=1"),
      ElementsAre("2 REDIS_HOST=10.0.0.5", "3 REDIS_PORT=6380", "5 BULL_COUNT=1",
                  "6 BULL_QUEUE_NAME=ncs_resource::", "7 EMPTY=", "8 LAST=1"));
}

TEST(Dotenv, LineEndsAndByteOrderMarksAreNotPartOfAValue) {
  EXPECT_THAT(values("\xEF\xBB\xBFREDIS_HOST=a\r\nREDIS_PASSWORD=\"b c\"\r\n\r\nX='d\r\ne'\r\n"),
              ElementsAre("1 REDIS_HOST=a", "2 REDIS_PASSWORD=b c", "4 X=d\ne"));
}

TEST(Dotenv, QuotesKeepTheirContent) {
  EXPECT_THAT(
      values("A=\"x#y\" # why\nB='x\\ny'\nC=\"x\\ny\"\nD=`it's \"q\"`\nE='C:\\'\nF='l1\nl2'\nG=after"),
      ElementsAre("1 A=x#y", "2 B=x\\ny", "3 C=x\ny", "4 D=it's \"q\"", "5 E=C:\\", "6 F=l1\nl2",
                  "8 G=after"));
}

TEST(Dotenv, AnUnquotedHashBeginsACommentAsInDotenv) {
  EXPECT_THAT(values("REDIS_PASSWORD=ab#cd\nURL: http://h\n"),
              ElementsAre("1 REDIS_PASSWORD=ab", "2 URL=http://h"));
}

TEST(Dotenv, ExpandsNothingAndKeepsTheOrderOfRepeatedNames) {
  EXPECT_THAT(values("A=1\nA=${B}$C\n"), ElementsAre("1 A=1", "2 A=${B}$C"));
}

TEST(Dotenv, ReportsBadLinesAndReadsTheRest) {
  std::vector<std::string> problems;
  EXPECT_THAT(values("no assignment here\nA=1\n=x\nB='open\nC=2\nD=\"x\" y\n한글=1\nE=3\n", &problems),
              ElementsAre("2 A=1", "5 C=2", "8 E=3"));
  EXPECT_THAT(problems, ElementsAre(HasSubstr(".env:1: no assignment"), HasSubstr(".env:3: no assignment"),
                                    ".env:4: B: the quote ' is not closed",
                                    ".env:6: D: unexpected text after the closing quote",
                                    HasSubstr(".env:7: no assignment")));
}

TEST(Dotenv, ReportsBytesThatAreNotText) {
  std::vector<std::string> problems;
  EXPECT_THAT(values(std::string("A\0=\0", 4), &problems), IsEmpty());
  EXPECT_THAT(problems, ElementsAre(HasSubstr(".env: is not UTF-8")));
}

TEST(Dotenv, ReportsAnUnreadableFile) {
  std::vector<Problem> problems;
  EXPECT_THAT(read_dotenv("no/such/.env", "no/such/.env", problems), IsEmpty());
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(to_string(problems[0]), HasSubstr("cannot read no/such/.env"));
}

}  // namespace
}  // namespace gaur::app
