#include "duckdb/parameters.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gaur::duckdb {
namespace {

constexpr const char* kSpec = R"~({"functions":{
 "top":{"sql":"SELECT 1","extra":"reject","params_path":"data.params","params":{
  "day":{"type":"date","required":true},"region":{"type":"varchar","enum":["kr","us"]},"n":{"type":"integer","default":10,"min":1,"max":1000},
  "price":{"type":"decimal(6,2)"},"at":{"type":"timestamptz"},"local":{"type":"timestamp","min":"2026-01-01"},"ok":{"type":"boolean"},
  "id":{"type":"bigint"},"share":{"type":"double"},"word":{"type":"varchar","max_length":3},"ids":{"type":"bigint[]","max_items":3},
  "page":{"type":"integer","coerce":true}}},
 "open":{"sql":"SELECT 1","params":{"n":{"type":"integer"}}}}})~";

Run<Given> take(const std::string& function, const std::string& data) {
  std::vector<Problem> problems;
  static const Spec spec = read_spec(*json::parse_object(kSpec), problems);
  EXPECT_TRUE(problems.empty());
  return take_parameters(spec.functions.at(function), json::RawValue(data));
}

std::string top(const std::string& parameters) {
  const auto given = take("top", R"~({"params":)~" + parameters + "}");
  return given ? "" : given.error().message;
}

TEST(Parameters, AcceptsValidValuesOfEveryType) {
  const auto given =
      take("top",
           R"~({"params":{"day":"2026-11-22","region":"kr","price":"1234.50","at":"2026-11-22T09:30:00+09:00",
      "local":"2026-11-22 09:30","ok":false,"id":"9223372036854775807","share":1,"word":"한국어","ids":["1",2],"page":"3"}})~");
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given->size(), 12U);
  EXPECT_EQ(given->at("n").text(), "10");
}

TEST(Parameters, TreatsNullAsMissing) {
  const auto given = take("top", R"~({"params":{"day":"2026-11-22","n":null,"region":null}})~");
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given->at("n").text(), "10");
  EXPECT_FALSE(given->contains("region"));
}

TEST(Parameters, IgnoresUnknownFieldsIfConfigured) {
  EXPECT_TRUE(take("open", R"~({"n":1,"func":"open","user":{"id":5}})~"));
  EXPECT_TRUE(take("open", R"~({})~"));
}

TEST(Parameters, AFailureIsFinalAndNamesTheParameter) {
  const auto given = take("open", R"~({"n":1.5})~");
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code, "parameter");
  EXPECT_TRUE(given.error().final);
  EXPECT_EQ(json::text_or(given.error().details, "parameter", ""), "n");
}

TEST(Parameters, NamesParameterExpectedAndReceivedValue) {
  std::string said;
  for (
      const char* parameters :
      {R"~({})~",
       R"~({"day":null})~",
       R"~({"day":20261122})~",
       R"~({"day":"2026-02-29"})~",
       R"~({"day":"2026-11-22T00:00:00Z"})~",
       R"~({"day":"2026-11-22","region":"jp"})~",
       R"~({"day":"2026-11-22","n":0})~",
       R"~({"day":"2026-11-22","n":1001})~",
       R"~({"day":"2026-11-22","n":"5"})~",
       R"~({"day":"2026-11-22","n":99999999999})~",
       R"~({"day":"2026-11-22","price":1.005})~",
       R"~({"day":"2026-11-22","price":"12345.00"})~",
       R"~({"day":"2026-11-22","at":"2026-11-22T09:30:00"})~",
       R"~({"day":"2026-11-22","local":"2025-12-31T23:59:59"})~",
       R"~({"day":"2026-11-22","ok":"yes"})~",
       R"~({"day":"2026-11-22","id":9223372036854775808})~",
       R"~({"day":"2026-11-22","id":"12x"})~",
       R"~({"day":"2026-11-22","share":"0.5"})~",
       R"~({"day":"2026-11-22","word":"네글자요"})~",
       R"~({"day":"2026-11-22","word":["a"]})~",
       R"~({"day":"2026-11-22","ids":7})~",
       R"~({"day":"2026-11-22","ids":[1,"x"]})~",
       R"~({"day":"2026-11-22","ids":[1,2,3,4]})~",
       R"~({"day":"2026-11-22","page":"3.5"})~",
       R"~({"day":"2026-11-22","nn":1})~",
       R"~({"day":"x","n":0,"nn":1})~",
       R"~([])~",
       R"~({"day":"2026-11-22","region":"x'); DROP TABLE y;-- and a text that goes on for longer than a message should"})~"}) {
    said += std::string(parameters) + "\n  " + top(parameters) + "\n";
  }
  const std::string path = std::string(GAUR_TEST_FOLDER) + "/golden/parameter_errors.txt";
  if (std::getenv("GAUR_WRITE_GOLDEN") != nullptr) std::ofstream(path) << said;
  std::ifstream golden(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(golden), {}), said);
}

std::string untyped(const std::string& parameters) {
  const auto given = take_untyped(json::RawValue(parameters));
  return given ? "" : given.error().message;
}

TEST(UntypedParameters, AreAnObjectOrAListOfOptionallyTypedValues) {
  for (const char* good :
       {"null", "{}", R"~({"a":1,"b":"x","c":null,"d":[1,2.5],"e":[],"f":true})~", R"~([1,"x",null])~",
        R"~({"day":{"type":"date","value":"2026-11-22"}})~", R"~([{"type":"varchar[]","value":[]}])~",
        R"~([{"type":"decimal(9,2)","value":"1.5"}])~", R"~([{"type":"integer","value":null}])~"}) {
    EXPECT_EQ(untyped(good), "") << good;
  }
  const auto list = take_untyped(json::RawValue(R"(["x",2])"));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at("1").value.text(), "\"x\"");
  EXPECT_EQ(list->at("2").parameter.type.text(), "bigint");
}

TEST(UntypedParameters, NameTheProblem) {
  const std::pair<const char*, const char*> cases[] = {
      {"5", "must be an object or a list"},
      {R"({"a":{"b":1}})", "parameter a must be a text, a number"},
      {R"({"a":[1,"x"]})", "a list of one kind"},
      {R"({"a":[null]})", "a list of one kind"},
      {R"({"a":{"type":"int32","value":1}})", "has no type that is known"},
      {R"({"a":{"type":"date","value":"tomorrow"}})", "must be a date"},
      {R"({"a":{"type":"bigint[]","value":[1,"x"]}})", "must be a whole number"},
  };
  for (const auto& [parameters, problem] : cases) {
    EXPECT_NE(untyped(parameters).find(problem), std::string::npos)
        << parameters << ": " << untyped(parameters);
  }
}

}  // namespace
}  // namespace gaur::duckdb
