// Cron patterns and zone names. First line: a zone; then the pattern.
#include "schedule/cron.hpp"
#include "../fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gaur;
  using namespace gaur::schedule;
  const auto [zone_name, pattern] = fuzz::first_line(fuzz::text_of(data, size));
  const auto named = Zone::find(zone_name);
  const Zone zone = named ? *named : Zone::fixed(0);
  const auto cron = Cron::parse(pattern);
  if (!cron) return 0;
  // Before a change of daylight saving time in most zones, at a leap day, at the end of 32-bit seconds.
  for (const std::int64_t start : {1'774'735'000'000LL, 1'835'308'800'000LL, 2'147'483'647'000LL}) {
    const Time after = from_ms(start);
    const auto next = cron->next(after, zone);
    if (!next) continue;
    fuzz::require(*next > after, "the next time is later");
    fuzz::require(to_ms(*next) % 1000 == 0, "the next time is a whole second");
    fuzz::require(cron->next(after, zone, *next) == next, "the end is included");
  }
  return 0;
}
