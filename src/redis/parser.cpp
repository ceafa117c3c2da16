#include "redis/parser.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace gaur::redis {
namespace {

constexpr std::size_t kCompactAbove = 64U << 10U;
constexpr std::size_t kReserveAtMost = 1024;  // elements; more are allocated as they arrive

template <class Number>
std::optional<Number> parse_whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> parse_double(std::string_view text) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan" || text == "-nan") return std::numeric_limits<double>::quiet_NaN();
  return parse_whole<double>(text);
}

/// Received bytes for an error message: short and printable.
std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, 32)) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

}  // namespace

void Parser::feed(std::string_view bytes) {
  if (broken_) return;
  fed_ = true;
  if (in_bulk_ && at_ == buffer_.size()) {  // the middle of a long string is not copied through the buffer
    const std::size_t direct = std::min(bulk_left_, bytes.size());
    bulk_.append(bytes.substr(0, direct));
    bulk_left_ -= direct;
    bytes.remove_prefix(direct);
  }
  compact();
  buffer_.append(bytes);
}

void Parser::compact() {
  if (at_ == buffer_.size()) {
    buffer_.clear();
  } else if (at_ > kCompactAbove) {
    buffer_.erase(0, at_);
  } else {
    return;
  }
  scanned_ -= std::min(scanned_, at_);
  at_ = 0;
}

Result<std::optional<Incoming>> Parser::next() {
  while (!broken_) {
    const Step now = step();
    if (now == Step::kStarved) return std::optional<Incoming>();
    if (now == Step::kDone) {
      elements_ = bytes_ = 0;
      return std::exchange(done_, std::nullopt);
    }
  }
  return *broken_;
}

Parser::Step Parser::broken(std::string message) {
  broken_ = Error{Errc::kCorrupt, "the server does not speak the Redis protocol: " + std::move(message)};
  return Step::kBroken;
}

std::optional<std::string_view> Parser::take_line() {
  const std::size_t from = std::max(at_, scanned_);
  const std::size_t end = buffer_.find('\r', from);
  if (end == std::string::npos || end + 1 == buffer_.size()) {
    scanned_ = end == std::string::npos ? buffer_.size() : end;
    if (scanned_ - at_ > limits_.line) broken(fmt::format("a line of more than {} bytes", limits_.line));
    return std::nullopt;
  }
  if (buffer_[end + 1] != '\n') {
    broken("CR without LF");
    return std::nullopt;
  }
  const std::string_view line(buffer_.data() + at_, end - at_);
  if (line.size() > limits_.line) {
    broken(fmt::format("a line of more than {} bytes", limits_.line));
    return std::nullopt;
  }
  at_ = scanned_ = end + 2;
  return line;
}

Parser::Step Parser::step() {
  if (in_bulk_) return read_bulk();
  const auto line = take_line();
  if (broken_) return Step::kBroken;
  if (!line) return Step::kStarved;
  if (line->empty()) return broken("an empty line");
  bytes_ += line->size();
  if (bytes_ > limits_.bytes) return broken(fmt::format("a reply of more than {} bytes", limits_.bytes));
  return header(*line);
}

Parser::Step Parser::header(std::string_view line) {
  const std::string_view rest = line.substr(1);
  switch (line[0]) {
    case '$': return begin_bulk(rest, BulkKind::kText);
    case '!': return begin_bulk(rest, BulkKind::kFailure);
    case '=': return begin_bulk(rest, BulkKind::kVerbatim);
    case '*':
    case '~': return begin_level(rest, Kind::kArray, 1);
    case '%': return begin_level(rest, Kind::kArray, 2);
    case '>': return begin_level(rest, Kind::kPush, 1);
    case '|': return begin_level(rest, Kind::kAttribute, 2);
    default: return scalar(line[0], rest);
  }
}

Parser::Step Parser::scalar(char type, std::string_view rest) {
  switch (type) {
    case '+':
    case '(': return finish({std::string(rest)});
    case '-': return finish({Reply::Failure{std::string(rest)}});
    case '_':
      if (rest.empty()) return finish({});
      break;
    case '#':
      if (rest == "t" || rest == "f") return finish({rest == "t"});
      break;
    case ':':
      if (const auto number = parse_whole<std::int64_t>(rest)) return finish({*number});
      break;
    case ',':
      if (const auto number = parse_double(rest)) return finish({*number});
      break;
    default: break;
  }
  return broken(fmt::format("\"{}{}\" begins no reply", shown({&type, 1}), shown(rest)));
}

std::optional<std::size_t> Parser::length_of(std::string_view text, std::size_t at_most) const {
  const auto number = parse_whole<std::size_t>(text);  // no sign is accepted
  if (!number || *number > at_most) return std::nullopt;
  return number;
}

Parser::Step Parser::begin_bulk(std::string_view length, BulkKind kind) {
  if (length == "-1" && kind == BulkKind::kText) return finish({});
  const auto size = length_of(length, limits_.bytes - bytes_);
  if (!size) return broken(fmt::format("a string of length \"{}\"", shown(length)));
  bytes_ += *size;
  in_bulk_ = true;
  bulk_kind_ = kind;
  bulk_left_ = *size;
  bulk_.clear();
  return Step::kMore;
}

Parser::Step Parser::read_bulk() {
  const std::size_t there = std::min(bulk_left_, buffer_.size() - at_);
  bulk_.append(buffer_, at_, there);
  at_ += there;
  bulk_left_ -= there;
  if (bulk_left_ != 0 || buffer_.size() - at_ < 2) return Step::kStarved;
  if (buffer_[at_] != '\r' || buffer_[at_ + 1] != '\n') return broken("a string longer than announced");
  at_ += 2;
  in_bulk_ = false;
  std::string text = std::move(bulk_);
  bulk_ = std::string();
  if (bulk_kind_ == BulkKind::kFailure) return finish({Reply::Failure{std::move(text)}});
  if (bulk_kind_ == BulkKind::kVerbatim) {
    if (text.size() < 4 || text[3] != ':') return broken("a verbatim string without its type");
    text.erase(0, 4);
  }
  return finish({std::move(text)});
}

Parser::Step Parser::begin_level(std::string_view length, Kind kind, std::size_t per_entry) {
  if (length == "-1" && kind == Kind::kArray && per_entry == 1) return finish({});
  const auto entries = length_of(length, (limits_.elements - elements_) / per_entry);
  if (!entries) return broken(fmt::format("\"{}\" elements", shown(length)));
  if (kind == Kind::kPush && !levels_.empty()) return broken("a push inside of a reply");
  if (levels_.size() == limits_.depth) return broken(fmt::format("more than {} levels", limits_.depth));
  const std::size_t count = *entries * per_entry;
  elements_ += count;
  levels_.push_back({kind, count, {}});
  levels_.back().items.reserve(std::min(count, kReserveAtMost));
  return count == 0 ? finish_level() : Step::kMore;
}

Parser::Step Parser::finish_level() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  if (level.kind == Kind::kAttribute) return Step::kMore;  // describes the next value; ignored
  if (level.kind == Kind::kPush) {
    done_ = Incoming{{std::move(level.items)}, true};
    return Step::kDone;
  }
  return finish({std::move(level.items)});
}

Parser::Step Parser::finish(Reply reply) {
  if (levels_.empty()) {
    done_ = Incoming{std::move(reply), false};
    return Step::kDone;
  }
  levels_.back().items.push_back(std::move(reply));
  return --levels_.back().left == 0 ? finish_level() : Step::kMore;
}

}  // namespace gaur::redis
