// `new Date(text)`: ISO 8601 first. Other texts follow V8's own rules, which accept almost any order of
// numbers, month names and offsets.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/js_number.hpp"
#include "bull/dates.hpp"
#include "bull/js_date_tokens.hpp"

namespace gaur::bull {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLatestMs = 8.64e15;  // of a Date
constexpr std::size_t kLongestText = 200;
constexpr int kNone = std::numeric_limits<int>::max();

using js_date_tokens::Kind;
using js_date_tokens::Token;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(js_date_tokens::tokens_of(text)) {}

  double parse(const schedule::Zone& local) {
    const Iso iso = parse_iso();
    if (iso == Iso::kInvalid || (iso == Iso::kOther && !parse_loosely())) return kNaN;
    return value(local);
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  Token next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool skip(char symbol) {
    if (!peek().is(symbol)) return false;
    ++at_;
    return true;
  }
  /// The next token as a number of two digits up to `most`.
  std::optional<int> two_digits(int least, int most) const {
    if (!peek().digits(2) || peek().value < least || peek().value > most) return std::nullopt;
    return peek().value;
  }
  bool take_two_digits(int least, int most, std::vector<int>& into) {
    const auto number = two_digits(least, most);
    if (!number) return false;
    into.push_back(*number);
    ++at_;
    return true;
  }

  /// The first three digits; fewer count as tenths or hundredths.
  int milliseconds(const Token& number) const {
    std::string digits(text_.substr(number.begin, std::min<std::size_t>(number.length, 3)));
    digits.resize(3, '0');
    return static_cast<int>(js::to_number(digits));
  }

  /// kOther: keeps what was read, and the rest follows V8's own rules. kInvalid: after a T only an ISO time
  /// is allowed.
  enum class Iso { kWhole, kOther, kInvalid };
  Iso parse_iso() {
    if (peek().is_sign()) {
      const int sign = peek().is('-') ? -1 : 1;
      if (!tokens_[at_ + 1].digits(6) || (sign < 0 && tokens_[at_ + 1].value == 0)) return Iso::kOther;
      ++at_;
      day_.push_back(sign * next().value);
    } else if (peek().digits(4)) {
      day_.push_back(next().value);
    } else {
      return Iso::kOther;
    }
    if (skip('-')) {
      if (!take_two_digits(1, 12, day_)) return Iso::kOther;
      if (skip('-') && !take_two_digits(1, 31, day_)) return Iso::kOther;
    }
    if (peek().kind == Kind::kTimeMark) {
      ++at_;
      if (!parse_iso_time() || peek().kind != Kind::kEnd) return Iso::kInvalid;
    }
    if (peek().kind != Kind::kEnd) return Iso::kOther;
    if (time_.empty() && zone_hour_ == kNone) set_zone(0);
    iso_ = true;
    return Iso::kWhole;
  }

  bool parse_iso_time() {
    if (!take_two_digits(0, 24, time_)) return false;
    const int most = time_[0] == 24 ? 0 : 59;
    if (!skip(':') || !take_two_digits(0, most, time_)) return false;
    if (skip(':')) {
      if (!take_two_digits(0, most, time_)) return false;
      if (skip('.')) {
        if (peek().kind != Kind::kNumber || (most == 0 && peek().value > 0)) return false;
        time_.push_back(milliseconds(next()));
      }
    }
    if (peek().kind == Kind::kZone && peek().length == 1) {
      ++at_;
      set_zone(0);
    } else if (peek().is_sign()) {
      zone_sign_ = next().is('-') ? -1 : 1;
      if (peek().digits(4)) {
        const int both = next().value;
        zone_hour_ = both / 100;
        zone_minute_ = both % 100;
        return zone_hour_ < 24 && zone_minute_ < 60;
      }
      const auto hour = two_digits(0, 23);
      if (!hour) return false;
      zone_hour_ = *hour;
      ++at_;
      if (!skip(':')) return false;
      const auto minute = two_digits(0, 59);
      if (!minute) return false;
      zone_minute_ = *minute;
      ++at_;
    }
    return true;
  }

  void set_zone(int hours) {
    zone_sign_ = hours < 0 ? -1 : 1;
    zone_hour_ = std::abs(hours);
    zone_minute_ = 0;
  }
  bool in_utc() const { return zone_hour_ == 0 && zone_minute_ == 0; }

  bool parse_loosely() {
    read_number_ = !day_.empty();
    while (peek().kind != Kind::kEnd) {
      const Token token = next();
      if (token.kind == Kind::kNumber) {
        read_number_ = true;
        if (!loose_number(token)) return false;
      } else if (token.kind == Kind::kSpace) {
        continue;
      } else if (token.kind != Kind::kSymbol) {
        if (!loose_word(token)) return false;
      } else if (token.is_sign() && (in_utc() || !time_.empty())) {
        if (!loose_offset(token.is('-') ? -1 : 1)) return false;
      } else if ((token.is_sign() || token.is(')')) && read_number_) {
        return false;
      } else if (token.is('(')) {
        skip_parentheses();
      }
    }
    return true;
  }

  bool expects_time(int number) const {
    if (time_.size() == 1 || time_.size() == 2) return number < 60;
    return time_.size() == 3 && number < 1000;
  }
  bool add_time(int number) {
    if (time_.size() == 4) return false;
    time_.push_back(number);
    return true;
  }

  bool loose_number(const Token& token) {
    const int number = token.value;
    if (skip(':')) {
      if (skip(':')) {
        if (!time_.empty()) return false;
        time_ = {number, 0};
        return true;
      }
      if (!add_time(number)) return false;
      skip('.');
      return true;
    }
    if (peek().is('.') && expects_time(number)) {
      ++at_;
      time_.push_back(number);
      if (peek().kind != Kind::kNumber) return false;
      const int ms = milliseconds(next());
      time_.push_back(ms);  // without seconds the value takes their place, where it is out of range
      time_.resize(4, 0);
      return true;
    }
    skip('.');
    if (zone_hour_ != kNone && zone_minute_ == kNone && number < 60) {
      zone_minute_ = number;
      return true;
    }
    if (expects_time(number)) {
      time_.push_back(number);
      time_.resize(4, 0);
      const Token& after = peek();
      return after.kind == Kind::kEnd || after.kind == Kind::kSpace || after.is_sign() ||
             (after.kind == Kind::kZone && after.length == 1);
    }
    if (day_.size() == 3) return false;
    day_.push_back(number);
    skip('-');
    return true;
  }

  bool loose_word(const Token& token) {
    if (token.kind == Kind::kHalfDay && !time_.empty()) {
      half_day_ = token.value;
    } else if (token.kind == Kind::kMonth) {
      named_month_ = token.value;
      skip('-');
    } else if (token.kind == Kind::kZone && read_number_) {
      set_zone(token.value);
    } else if (read_number_ || peek().kind == Kind::kNumber) {
      return false;
    }
    return true;
  }

  bool loose_offset(int sign) {
    zone_sign_ = sign;
    Token number{.kind = Kind::kNumber};
    if (peek().kind == Kind::kNumber) number = next();
    read_number_ = true;
    if (peek().is(':')) {
      zone_hour_ = number.value;
      zone_minute_ = kNone;
    } else if (number.length == 1 || number.length == 2) {
      zone_hour_ = number.value;
      zone_minute_ = 0;
    } else if (number.length == 3 || number.length == 4) {
      zone_hour_ = number.value / 100;
      zone_minute_ = number.value % 100;
    } else {
      return false;
    }
    return true;
  }

  void skip_parentheses() {
    for (int depth = 1; depth > 0 && peek().kind != Kind::kEnd;) {
      const Token token = next();
      depth += token.is('(') ? 1 : token.is(')') ? -1 : 0;
    }
  }

  /// Year, month, day out of up to three numbers and the name of a month.
  std::optional<schedule::Civil> date() const {
    if (day_.empty()) return std::nullopt;
    std::vector<int> parts = day_;
    parts.resize(3, 1);
    const auto is_day = [](int number) { return number >= 1 && number <= 31; };
    int year = 0, month = 0, day = 0;
    if (named_month_ != kNone) {
      month = named_month_;
      year = is_day(parts[0]) ? parts[1] : parts[0];
      day = is_day(parts[0]) ? parts[0] : parts[1];
    } else if (iso_ || !is_day(parts[0])) {
      year = parts[0], month = parts[1], day = parts[2];
    } else {
      month = parts[0], day = parts[1], year = parts[2];
    }
    if (!iso_ && year >= 0 && year <= 49) year += 2000;
    if (!iso_ && year >= 50 && year <= 99) year += 1900;
    if (month < 1 || month > 12 || !is_day(day) || std::abs(year) > 400'000) return std::nullopt;
    return schedule::Civil{
        .year = year, .month = static_cast<unsigned>(month), .day = static_cast<unsigned>(day)};
  }

  double value(const schedule::Zone& local) const {
    auto civil = date();
    if (!civil) return kNaN;
    std::vector<int> time = time_;
    time.resize(4, 0);
    if (half_day_ != kNone) {
      if (time[0] > 12) return kNaN;
      time[0] = time[0] % 12 + half_day_;
    }
    const bool midnight = time[0] == 24 && time[1] == 0 && time[2] == 0 && time[3] == 0;
    if ((time[0] > 23 && !midnight) || time[1] > 59 || time[2] > 59 || time[3] > 999) return kNaN;
    civil->hour = static_cast<unsigned>(time[0]);
    civil->minute = static_cast<unsigned>(time[1]);
    civil->second = static_cast<unsigned>(time[2]);
    civil->ms = static_cast<unsigned>(time[3]);
    const std::int64_t ms = schedule::to_local_ms(*civil);
    if (zone_sign_ == kNone) return in_zone(ms, local);
    const std::int64_t hour = zone_hour_ == kNone ? 0 : zone_hour_;
    const std::int64_t minute = zone_minute_ == kNone ? 0 : zone_minute_;
    return static_cast<double>(ms - zone_sign_ * (hour * 3600 + minute * 60) * 1000);
  }

  /// A local time that occurs twice is the earlier one; one in a gap uses the offset from before it.
  static double in_zone(std::int64_t local_ms, const schedule::Zone& zone) {
    constexpr std::int64_t kDayMs = 86'400'000;
    const std::int64_t before_s = zone.offset_s(local_ms - kDayMs);
    const std::int64_t early = local_ms - before_s * 1000;
    if (zone.offset_s(early) == before_s) return static_cast<double>(early);
    const std::int64_t after_s = zone.offset_s(local_ms + kDayMs);
    const std::int64_t late = local_ms - after_s * 1000;
    return static_cast<double>(zone.offset_s(late) == after_s ? late : early);
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::vector<int> day_{}, time_{};  // up to three and four numbers
  int named_month_ = kNone, half_day_ = kNone;
  int zone_sign_ = kNone, zone_hour_ = kNone, zone_minute_ = kNone;
  bool iso_ = false, read_number_ = false;
};

double clipped(double ms) {
  return std::abs(ms) <= kLatestMs ? std::trunc(ms) : kNaN;
}

}  // namespace

double js_date(const json::Value& value, const schedule::Zone& local) {
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    return text.size() > kLongestText ? kNaN : clipped(Parser(text).parse(local));
  }
  if (value.is_number()) return clipped(value.to_number<double>());
  if (value.is_bool()) return value.get_bool() ? 1 : 0;
  return value.is_null() ? 0 : kNaN;
}

}  // namespace gaur::bull
