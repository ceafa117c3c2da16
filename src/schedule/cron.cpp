#include "schedule/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/js_number.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"

namespace gaur::schedule {

namespace {

struct Bounds {
  std::string_view name;
  unsigned low, high;
  /// Allowed beside digits.
  std::string_view characters;
  /// What stands for a field that was left out.
  std::string_view default_text;
};
constexpr std::array<Bounds, 6> kBounds{{{"seconds", 0, 59, ",*/-", "0"},
                                         {"minutes", 0, 59, ",*/-", "*"},
                                         {"hours", 0, 23, ",*/-", "*"},
                                         {"day of month", 1, 31, "?,*L/-", "*"},
                                         {"month", 1, 12, ",*/-", "*"},
                                         {"day of week", 0, 7, "?,*L#/-", "*"}}};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<unsigned, 12> kMostDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr std::size_t kLongestPattern = 1'000;
constexpr int kMostSteps = 10'000;  // the library's
constexpr std::int64_t kSecondMs = 1'000, kMinuteMs = 60'000, kHourMs = 3'600'000;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string_view expanded(std::string_view pattern) {
  if (pattern == "@yearly") return "0 0 1 1 *";
  if (pattern == "@monthly") return "0 0 1 * *";
  if (pattern == "@weekly") return "0 0 * * 0";
  if (pattern == "@daily") return "0 0 * * *";
  if (pattern == "@hourly") return "0 * * * *";
  return pattern;
}

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

bool Cron::Values::has(unsigned value) const {
  return std::binary_search(numbers.begin(), numbers.end(), value);
}

/// Reads one field: lists of ranges with steps.
class Cron::FieldReader {
 public:
  explicit FieldReader(Field field) : field_(field), bounds_(kBounds[field]) {}

  Result<Values> read(std::string text) {
    GAUR_CHECK(replace_names(text));
    const auto allowed = [&](char c) {
      return (c >= '0' && c <= '9') || bounds_.characters.find(c) != std::string_view::npos;
    };
    if (text.empty() || !std::all_of(text.begin(), text.end(), allowed))
      return bad("an unexpected character", text);
    replace_wildcards(text);
    for (const std::string& part : split(text, ',')) {
      if (part.empty()) return bad("an empty place in a list", text);
      GAUR_CHECK(read_part(part));
    }
    std::sort(values_.numbers.begin(), values_.numbers.end());
    return std::move(values_);
  }

 private:
  Error bad(std::string_view rule, std::string_view text) const {
    return {Errc::kInvalidArgument,
            fmt::format("cron {}: {}, was \"{}\"", bounds_.name, rule, utf8_prefix(text, 100))};
  }

  /// Every three letters of the fields that have names are one.
  Status replace_names(std::string& text) const {
    if (field_ != kMonth && field_ != kWeekday) return ok();
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
      if (at + 3 > text.size() || !std::all_of(&text[at], &text[at] + 3, is_letter)) {
        plain += text[at++];
        continue;
      }
      std::string word = text.substr(at, 3);
      for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const auto* const months = std::find(kMonths.begin(), kMonths.end(), word);
      const auto* const days = std::find(kWeekdays.begin(), kWeekdays.end(), word);
      if (field_ == kMonth ? months == kMonths.end() : days == kWeekdays.end())
        return bad("an unknown name", word);
      plain += std::to_string(field_ == kMonth ? months - kMonths.begin() + 1 : days - kWeekdays.begin());
      at += 3;
    }
    text = std::move(plain);
    return ok();
  }

  void replace_wildcards(std::string& text) const {
    const char sign = text.find('*') != std::string::npos ? '*' : '?';
    const std::string all = fmt::format("{}-{}", bounds_.low, bounds_.high);
    std::string plain;
    for (const char c : text) plain += c == sign ? all : std::string(1, c);
    text = std::move(plain);
  }

  /// "5", "1-5", "0-59/10", "5/20", "L", "5L".
  Status read_part(const std::string& part) {
    auto steps = split(part, '/');
    if (steps.size() > 2) return bad("one step at most", part);
    std::string range = steps[0];
    if (steps.size() == 2 && js::to_number(range) >= 0) range += fmt::format("-{}", bounds_.high);
    if (range.find('-') != std::string::npos) {
      return read_range(range, steps.size() == 2 ? js::to_number(steps[1]) : 1);
    }
    if (range.find('L') != std::string::npos) {
      values_.lasts.push_back(range);
      return ok();
    }
    const double number = js::to_number(range);
    if (!(number >= bounds_.low && number <= bounds_.high))
      return bad(fmt::format("{} to {}", bounds_.low, bounds_.high), part);
    const auto value = static_cast<unsigned>(number);
    values_.numbers.push_back(field_ == kWeekday ? value % 7 : value);
    return ok();
  }

  Status read_range(const std::string& text, double step) {
    const auto ends = split(text, '-');
    const double from = js::to_number(ends[0]);
    const double to = js::to_number(ends[1]);
    if (ends[0].empty() || !(from >= bounds_.low && to <= bounds_.high))
      return bad(fmt::format("{} to {}", bounds_.low, bounds_.high), text);
    if (from > to) return bad("a range goes up", text);
    if (!(step > 0)) return bad("a step is a whole number above 0", text);
    // A range of weekdays to 7 begins with 0: Sunday has two numbers.
    const bool with_sunday = field_ == kWeekday && static_cast<unsigned>(to) % 7 == 0;
    if (with_sunday) values_.numbers.push_back(0);
    double since = step;
    for (auto value = static_cast<unsigned>(from); value <= static_cast<unsigned>(to); ++value) {
      if (std::fmod(since, step) == 0 && !(with_sunday && value == 0)) {
        values_.numbers.push_back(value);
        since = 0;
      }
      ++since;
    }
    return ok();
  }

  Field field_;
  const Bounds& bounds_;
  Values values_{};
};

Result<Cron> Cron::parse(std::string_view pattern) {
  if (pattern.size() > kLongestPattern)
    return Error{Errc::kTooLarge, fmt::format("cron: at most {} bytes", kLongestPattern)};
  const std::vector<std::string> words = js::words(expanded(pattern));
  if (words.size() > kFields) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("cron: 5 or 6 fields, was \"{}\"", utf8_prefix(pattern, 100))};
  }
  Cron cron;
  for (std::size_t i = 0; i < kFields; ++i) {
    const std::size_t left_out = kFields - words.size();
    std::string text(i < left_out ? kBounds[i].default_text : std::string_view(words[i - left_out]));
    if (text.empty()) text = kBounds[i].default_text;  // of an empty pattern
    if (const auto hash = text.find('#'); i == kWeekday && hash != std::string::npos) {
      cron.nth_weekday_ = js::to_number(std::string_view(text).substr(hash + 1));
      if (!(cron.nth_weekday_ >= 1 && cron.nth_weekday_ <= 5) ||
          text.find_first_of(",/-") != std::string::npos) {
        return Error{Errc::kInvalidArgument,
                     fmt::format("cron day of week: after # stands 1 to 5, alone, was \"{}\"", text)};
      }
      text.resize(hash);
    }
    GAUR_TRY(cron.fields_[i], FieldReader(static_cast<Field>(i)).read(std::move(text)));
  }
  // With one month its longest length bounds the days.
  if (const auto& months = cron.fields_[kMonth].numbers; months.size() == 1) {
    auto& days = cron.fields_[kDay].numbers;
    const unsigned most = kMostDays[months[0] - 1];
    if (!days.empty() && days[0] > most)
      return Error{Errc::kInvalidArgument,
                   fmt::format("cron day of month: month {} has at most {} days", months[0], most)};
    std::erase_if(days, [&](unsigned day) { return day > most; });
    std::erase_if(cron.fields_[kDay].lasts, [](const std::string& word) { return word != "L"; });
  }
  return cron;
}

/// The search for the next time, step by step as the library does it: a step goes to the start of the next
/// month, day, hour, minute or second, and around changes of the clock two marks remember what was jumped
/// over.
class Cron::Search {
 public:
  Search(const Cron& cron, const Zone& zone, std::int64_t after_ms)
      : cron_(cron), after_ms_(after_ms), at_(zone, after_ms) {}

  std::optional<Time> run(std::optional<Time> end) {
    for (int step = 1; step < kMostSteps; ++step) {
      if (end && at_.utc_ms() > to_ms(*end)) return std::nullopt;
      switch (check()) {
        case Move::kNone:
          if (at_.utc_ms() != after_ms_) return from_ms(at_.utc_ms());
          add(kSecondMs, true);
          break;
        case Move::kDay: add_day(); break;
        case Move::kMonth: add_month(); break;
        case Move::kHour: add(kHourMs, true); break;
        case Move::kPlainHour: add(kHourMs, false); break;
        case Move::kMinute: add(kMinuteMs, true); break;
        case Move::kSecond: add(kSecondMs, true); break;
        case Move::kNever: return std::nullopt;
      }
    }
    return std::nullopt;
  }

 private:
  enum class Move { kNone, kDay, kMonth, kHour, kPlainHour, kMinute, kSecond, kNever };

  const Values& field(Field field) const { return cron_.fields_[field]; }

  bool is_last_day() const {
    ZonedTime next = at_;
    next.add_days(1);
    next.to_start_of(kDayMs);
    return next.civil().month != at_.civil().month;
  }
  bool in_last_week() const {
    ZonedTime next = at_;
    next.add_days(7);
    next.to_start_of(kDayMs);
    return next.civil().month != at_.civil().month;
  }

  /// Of a pattern like "5L"; nothing: it names no weekday, and the library gives up.
  std::optional<bool> is_last_weekday() const {
    bool nameless = false;
    for (const std::string& word : field(kWeekday).lasts) {
      const bool named = word[0] >= '0' && word[0] <= '9';
      nameless = nameless || !named;
      if (named && static_cast<unsigned>(word[0] - '0') % 7 == at_.weekday() && in_last_week()) return true;
    }
    return nameless ? std::nullopt : std::optional(false);
  }

  bool is_nth_weekday() const {
    const double nth = cron_.nth_weekday_;
    const unsigned week = (at_.civil().day + 6) / 7;
    return nth < 6 && week == nth;
  }

  Move check_day() const {
    const Civil& civil = at_.civil();
    const bool day = field(kDay).has(civil.day) || (!field(kDay).lasts.empty() && is_last_day());
    bool weekday = field(kWeekday).has(at_.weekday());
    if (!weekday && !field(kWeekday).lasts.empty()) {
      const auto last = is_last_weekday();
      if (!last) return Move::kNever;
      weekday = *last;
    }
    const bool any_day = field(kDay).size() >= kMostDays[civil.month - 1];
    const bool any_weekday = field(kWeekday).size() == 8;  // 0 to 7
    if (!day && (!weekday || any_weekday)) return Move::kDay;
    if (any_day && !any_weekday && !weekday) return Move::kDay;
    if (cron_.nth_weekday_ > 0 && !is_nth_weekday()) return Move::kDay;
    return field(kMonth).has(civil.month) ? Move::kNone : Move::kMonth;
  }

  Move check_hour() {
    const unsigned hour = at_.civil().hour;
    if (!field(kHour).has(hour)) {
      if (jumped_to_ != hour) {
        jumped_to_.reset();
        return Move::kHour;
      }
      // The hour before does not exist today: what is due in it is due in this one.
      if (hour == 0 || !field(kHour).has(hour - 1)) return Move::kPlainHour;
    } else if (again_ == hour) {
      again_.reset();
      return Move::kHour;
    }
    return Move::kNone;
  }

  Move check() {
    if (const Move move = check_day(); move != Move::kNone) return move;
    if (const Move move = check_hour(); move != Move::kNone) return move;
    if (!field(kMinute).has(at_.civil().minute)) return Move::kMinute;
    if (!field(kSecond).has(at_.civil().second)) return Move::kSecond;
    return Move::kNone;
  }

  void add_day() {
    const std::int64_t before = at_.utc_ms();
    at_.add_days(1);
    at_.to_start_of(kDayMs);
    leave_gap(before);
  }
  void add_month() {
    const std::int64_t before = at_.utc_ms();
    at_.to_start_of_next_month();
    leave_gap(before);
  }
  /// A day whose midnight does not exist leads back to where the step began.
  void leave_gap(std::int64_t before) {
    if (at_.utc_ms() == before && at_.civil().minute == 0 && at_.civil().second == 0) add(kHourMs, false);
  }

  void add(std::int64_t unit_ms, bool mark) {
    const std::int64_t before = at_.utc_ms();
    const auto hour_before = static_cast<int>(at_.civil().hour);
    at_.elapse(unit_ms);
    at_.to_start_of(unit_ms);
    // The start of the hour may be before the begin of the step if the clock was set back within the hour.
    if (at_.utc_ms() < before || (unit_ms == kHourMs && at_.utc_ms() == before)) at_.elapse(kHourMs);
    if (!mark || field(kHour).size() == 24) return;
    const Civil& civil = at_.civil();
    const int jump = static_cast<int>(civil.hour) - hour_before;
    if (jump == 2) jumped_to_ = civil.hour;
    if (jump == 0 && civil.minute == 0 && civil.second == 0) again_ = civil.hour;
  }

  const Cron& cron_;
  const std::int64_t after_ms_;
  ZonedTime at_;
  /// The hour that the clock jumped to, over one.
  std::optional<unsigned> jumped_to_{};
  /// The hour that comes twice.
  std::optional<unsigned> again_{};
};

std::optional<Time> Cron::next(Time after, const Zone& zone, std::optional<Time> end) const {
  return Search(*this, zone, to_ms(after)).run(end);
}

}  // namespace gaur::schedule
