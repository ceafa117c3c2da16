#pragma once
// Dates as the peers read them out of options: `new Date(value)` as V8 does it, and what luxon (under
// cron-parser) makes of the same value, which differs where no offset is given. tests/interop/dates.test.mjs
// compares both. Thread-safety: pure functions.
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "schedule/zone.hpp"

namespace gaur::bull {

/// new Date(value).getTime(): ms since 1970; NaN for what is no date. Texts that name no offset are in
/// `local`, but a plain date is in UTC.
double js_date(const json::Value& value, const schedule::Zone& local);

/// ms since 1970 of ISO, RFC 2822 and SQL texts; texts that name no offset are in `zone`. Nothing for what is
/// no date. `now_ms`: today, which decides between the two times of an hour that comes twice.
std::optional<double> luxon_date(const json::Value& value, const schedule::Zone& zone, std::int64_t now_ms);

}  // namespace gaur::bull
