#pragma once
// Dates in options as Bull reads them: `new Date(value)` of V8, and luxon (used by cron-parser), which
// differs if no offset is given. tests/interop/dates.test.mjs compares both. Thread-safety: pure functions.
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "schedule/zone.hpp"

namespace gaur::bull {

/// new Date(value).getTime(): ms since 1970; NaN if it is not a date. Texts without an offset are in `local`,
/// but a plain date is in UTC.
double js_date(const json::Value& value, const schedule::Zone& local);

/// ms since 1970 of ISO, RFC 2822 and SQL texts. Texts without an offset are in `zone`. Nothing if it is not
/// a date. `now_ms`: today, which decides between the two times of a repeated hour.
std::optional<double> luxon_date(const json::Value& value, const schedule::Zone& zone, std::int64_t now_ms);

}  // namespace gaur::bull
