// The vectors were made by running cron-parser 4.9.0, which Bull 4 uses.
#include <gmock/gmock.h>

#include "schedule/cron.hpp"

namespace gaur::schedule {
namespace {

struct Vector {
  const char* pattern;
  const char* zone;
  std::int64_t from_ms;
  std::vector<std::int64_t> next_ms;
};

TEST(Cron, MatchesCronParser) {
  const std::vector<Vector> vectors{
      {"*/5 * * * * *", "UTC", 1795366801300, {1795366805000, 1795366810000, 1795366815000}},
      {"* * * * * *", "UTC", 1795366801300, {1795366802000, 1795366803000, 1795366804000}},
      {"* * * * * *", "UTC", 1795366801000, {1795366802000, 1795366803000, 1795366804000}},
      {"0 5 * * *", "Europe/Athens", 1795366800000, {1795402800000, 1795489200000, 1795575600000}},
      {"*/15 * * * *", "UTC", 1795366800000, {1795367700000, 1795368600000, 1795369500000}},
      {"0 0 29 2 *", "UTC", 1795366800000, {1835395200000, 1961625600000, 2087856000000}},
      {"0 0 31 * *", "UTC", 1795366800000, {1798675200000, 1801353600000, 1806451200000}},
      {"0 0 L * *", "UTC", 1801440000000, {1803772800000, 1806451200000, 1809043200000}},
      {"0 0 * * 5L", "UTC", 1795366800000, {1795737600000, 1798156800000, 1801180800000}},
      {"0 0 * * 1#2", "UTC", 1795366800000, {1797206400000, 1799625600000, 1802044800000}},
      {"0 9 * * MON-FRI", "Asia/Seoul", 1795165200000, {1795392000000, 1795478400000, 1795564800000}},
      {"0 0 13 * 5", "UTC", 1795366800000, {1795737600000, 1796342400000, 1796947200000}},
      {"0 0 1 * 0-6", "UTC", 1795366800000, {1795392000000, 1795478400000, 1795564800000}},
      {"0 0 1 JAN,jul *", "UTC", 1795366800000, {1798761600000, 1814400000000, 1830297600000}},
      {"30 2 * * *", "Europe/Berlin", 1806148800000, {1806197400000, 1806280200000, 1806366600000}},
      {"30 2 * * *", "Europe/Berlin", 1806197400000, {1806280200000, 1806366600000, 1806453000000}},
      {"30 2 * * *", "Europe/Berlin", 1824897600000, {1824942600000, 1825032600000, 1825119000000}},
      {"30 2 * * *", "Europe/Berlin", 1824942600000, {1825032600000, 1825119000000, 1825205400000}},
      {"30 * * * *", "Europe/Berlin", 1824942600000, {1824946200000, 1824949800000, 1824953400000}},
      {"30 * * * *", "Europe/Berlin", 1824946200000, {1824949800000, 1824953400000, 1824957000000}},
      {"30 * * * *", "Europe/Berlin", 1806193800000, {1806197400000, 1806201000000, 1806204600000}},
      {"0 0 * * 7", "UTC", 1795366800000, {1795910400000, 1796515200000, 1797120000000}},
      {"0 0 * * */3", "UTC", 1795366800000, {1795564800000, 1795824000000, 1795910400000}},
      {"10-50/20 8-18/4 * * *",
       "America/New_York",
       1795367400000,
       {1795368600000, 1795369800000, 1795381800000}},
      {"5/20 * * * *", "UTC", 1795367400000, {1795368300000, 1795369500000, 1795370700000}},
      {"@daily", "UTC", 1795367400000, {1795392000000, 1795478400000, 1795564800000}},
      {"@weekly", "UTC", 1795367400000, {1795910400000, 1796515200000, 1797120000000}},
      {"@hourly", "UTC", 1795367400000, {1795370400000, 1795374000000, 1795377600000}},
      {"@monthly", "UTC", 1795367400000, {1796083200000, 1798761600000, 1801440000000}},
      {"@yearly", "UTC", 1795367400000, {1798761600000, 1830297600000, 1861920000000}},
      {"0 0 ? * *", "UTC", 1795367400000, {1795392000000, 1795478400000, 1795564800000}},
      {"59 59 23 31 12 *", "UTC", 1795367400000, {1798761599000, 1830297599000, 1861919999000}},
      {"*", "UTC", 1795367410000, {1795367460000, 1795367520000, 1795367580000}},
      {"0 12 * *", "UTC", 1795367410000, {1797033600000, 1797033660000, 1797033720000}},
      {"0 0 29 2 1", "UTC", 1795367410000, {1801440000000, 1802044800000, 1802649600000}},
      {"0 0 L 2 *", "UTC", 1826903410000, {1835395200000, 1866931200000, 1898467200000}},
      {"0 0 15,L * *", "UTC", 1795367410000, {1795996800000, 1797292800000, 1798675200000}},
      {"0 22 * * 1-5", "America/Sao_Paulo", 1795212610000, {1795222800000, 1795482000000, 1795568400000}},
  };
  for (const auto& [pattern, zone, from, expected] : vectors) {
    const auto cron = Cron::parse(pattern);
    ASSERT_TRUE(cron) << pattern << ": " << cron.error().message;
    const auto in = Zone::find(zone);
    ASSERT_TRUE(in) << zone;
    std::vector<std::int64_t> found;
    for (Time at = from_ms(from); found.size() < expected.size();) {
      const auto next = cron->next(at, *in);
      ASSERT_TRUE(next) << pattern;
      at = *next;
      found.push_back(to_ms(at));
    }
    EXPECT_EQ(found, expected) << pattern << " in " << zone;
  }
}

TEST(Cron, RejectsWhatPeersReject) {
  for (const char* pattern :
       {"60 * * * *", "* * 32 * *", "a b c d e", "* * * * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 * * 8",
        "0 0 * * 1#6", "0 0 * FOO *", "1,,2 * * * *", "1/2/3 * * * *", "0 0 * * 1#2,3", "@midnight",
        "* * * 0 *", "-5 * * * *", "1- * * * *", "0 0 L-1 * *"}) {
    const auto cron = Cron::parse(pattern);
    ASSERT_FALSE(cron) << pattern;
    EXPECT_EQ(cron.error().code, Errc::kInvalidArgument);
  }
}

TEST(Cron, ReturnsNothingWithoutAMatch) {
  for (const char* pattern : {"0 0 30 2,2 *", "0 0 31 4,6 *", "0 0 * * L"}) {
    const auto cron = Cron::parse(pattern);
    ASSERT_TRUE(cron) << pattern;
    EXPECT_FALSE(cron->next(from_ms(1'795'366'800'000), Zone::fixed(0))) << pattern;
  }
}

std::optional<std::int64_t> first(const char* pattern, const char* zone, std::int64_t after) {
  const auto cron = Cron::parse(pattern);
  const auto in = Zone::find(zone);
  if (!cron || !in) return std::nullopt;
  const auto next = cron->next(from_ms(after), *in);
  return next ? std::optional(to_ms(*next)) : std::nullopt;
}

// Expected values: node -p "require('cron-parser').parseExpression(PATTERN,{currentDate:new
// Date(MS),tz:ZONE}).next().getTime()"
TEST(Cron, AcceptsAnyWhiteSpaceBetweenFields) {
  EXPECT_EQ(first("0\t5\t*\t*\t*", "UTC", 1'795'366'800'000), 1'795'410'000'000);
  EXPECT_EQ(first(" 0  5\n* * *\t", "UTC", 1'795'366'800'000), 1'795'410'000'000);
}

// The zones' tables end in 2037, and their rules go on. Expected values as above, for times in 2041.
TEST(Cron, FollowsZoneRuleBeyondTheTable) {
  EXPECT_EQ(first("22-50 36/32 16 * 4 fri#5", "EST5EDT", 2'025'818'994'000), 2'156'272'582'000);
  struct Changes {
    const char* zone;
    std::int64_t march, october;
  };
  for (const Changes& each : {
           Changes{"Australia/Sydney", 2'246'279'400'000, 2'266'241'400'000},
           Changes{"Australia/Lord_Howe", 2'246'279'400'000, 2'266'241'400'000},
           Changes{"Europe/Dublin", 2'246'319'000'000, 2'266'277'400'000},
           Changes{"Asia/Gaza", 2'246'311'800'000, 2'266'270'200'000},
           Changes{"America/Nuuk", 2'246'326'200'000, 2'266'284'600'000},
           Changes{"Atlantic/Azores", 2'246'322'600'000, 2'266'281'000'000},
           Changes{"Pacific/Chatham", 2'246'269'500'000, 2'266'231'500'000},
           Changes{"America/New_York", 2'246'337'000'000, 2'266'295'400'000},
       }) {
    EXPECT_EQ(first("30 1 8-14 3 *", each.zone, 2'240'000'000'000), each.march) << each.zone;
    EXPECT_EQ(first("30 2 25-31 10 *", each.zone, 2'240'000'000'000), each.october) << each.zone;
  }
}

TEST(Cron, ReadsTheRulesOfZoneFiles) {
  const auto dublin = read_zone_rule("IST-1GMT0,M10.5.0,M3.5.0/1");
  ASSERT_TRUE(dublin);
  EXPECT_EQ(dublin->offset_s(2'256'000'000'000), 3600);  // June 2041
  EXPECT_EQ(dublin->offset_s(2'241'000'000'000), 0);     // January
  for (const char* text : {"", "UTC0", "<+03>-3", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
                           "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.2.0,M11.1.0,", "EST5EDT,J60,J300",
                           "<EST5EDT,M3.2.0,M11.1.0", "EST999EDT,M3.2.0,M11.1.0", "EST5:EDT,M3.2.0,M11.1.0"})
    EXPECT_FALSE(read_zone_rule(text)) << text;
}

TEST(Cron, SkipsMissingMidnight) {
  // Cairo: 2026-04-24 00:00 does not exist; the next midnight is that of the 25th.
  EXPECT_EQ(first("0 0 * * *", "Africa/Cairo", 1'776'978'000'000 - 7'200'000), 1'777'064'400'000);
}

TEST(Zone, AcceptsNamesOfLuxon) {
  const std::int64_t winter = 1'795'366'800'000;
  const auto offset = [&](const char* name) -> std::int64_t {
    const auto zone = Zone::find(name);
    return zone ? zone->offset_s(winter) : -1;
  };
  EXPECT_EQ(offset("asia/SEOUL"), 9 * 3600);
  EXPECT_EQ(offset("UTC+9"), 9 * 3600);
  EXPECT_EQ(offset("utc-03:30"), -(3 * 3600 + 1800));
  EXPECT_EQ(offset("UTC"), 0);
  EXPECT_EQ(offset("gmt"), 0);
  EXPECT_EQ(offset("US/Eastern"), -5 * 3600);
  EXPECT_EQ(offset("Etc/GMT+9"), -9 * 3600);
  EXPECT_TRUE(Zone::find("")) << "the machine's own";
  for (const char* name : {"Europe/Atlantis", "+09:00", "UTC+9:5", "UTC+", "posix/UTC", "../etc/passwd"}) {
    const auto zone = Zone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, Errc::kInvalidArgument);
  }
}

}  // namespace
}  // namespace gaur::schedule
