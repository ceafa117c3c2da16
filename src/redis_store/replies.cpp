#include "redis_store/replies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gaur::redis_store {

namespace {

constexpr double kMostMs = 9e15;  // whole numbers are exact up to 2^53

/// The ACL denies the command, the script, or its keys or channels. Before Redis 7, a command denied inside a
/// script is reported as an error of the script.
bool is_not_permitted(const redis::Reply::Failure& failure) {
  return failure.code() == "NOPERM" || failure.text.find("ACL failure in script") != std::string::npos ||
         failure.text.find("The user executing the script") != std::string::npos;
}

/// The ACL rule that is missing, as far as the message names it.
std::string acl_advice(const redis::Reply::Failure& failure) {
  const std::string& text = failure.text;
  const auto begin = text.find("the '");
  const auto end = text.find('\'', begin == std::string::npos ? begin : begin + 5);
  if (end != std::string::npos)
    return "; add +" + text.substr(begin + 5, end - begin - 5) + " to the user's ACL";
  if (text.find("channel") != std::string::npos)
    return "; add &PREFIX:* and &gaur:PREFIX:* to the user's ACL";
  if (text.find("key") != std::string::npos) return "; add ~PREFIX:* and ~gaur:PREFIX:* to the user's ACL";
  return "; docs/how-to/redis.md lists the rules";
}

}  // namespace

Error error_of(const redis::Reply::Failure& failure) {
  const std::string_view code = failure.code();
  const std::string text = "redis: " + failure.text;
  if (code == "OOM")
    return {Errc::kStoreFull, "redis: the server uses all of its maxmemory: raise it, or remove jobs"};
  if (code == "MISCONF") return {Errc::kStoreFull, text};
  if (code == "READONLY") return {Errc::kDisconnected, fmt::format("redis: {}", redis::kReplicaAdvice)};
  if (is_not_permitted(failure)) return {Errc::kPermission, text + acl_advice(failure)};
  if (code == "NOAUTH" || code == "WRONGPASS") return {Errc::kPermission, text};
  for (const std::string_view temporary : {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "TRYAGAIN"}) {
    if (code == temporary) return {Errc::kDisconnected, text};
  }
  // Before Redis 7 the error of a script contains that of its command.
  if (failure.text.find("WRONGTYPE") != std::string::npos) return {Errc::kCorrupt, text};
  return {Errc::kInternal, text};
}

Result<redis::Reply> checked(Result<redis::Reply> reply) {
  if (reply && reply->failure() != nullptr) return error_of(*reply->failure());
  return reply;
}

std::string text_of(const redis::Reply& reply) {
  if (const std::string* text = reply.text()) return *text;
  if (const std::int64_t* number = reply.integer()) return std::to_string(*number);
  return {};
}

std::int64_t integer_of(const redis::Reply& reply) {
  if (const std::int64_t* number = reply.integer()) return *number;
  std::int64_t value = 0;
  if (const std::string* text = reply.text())
    std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

const redis::Reply::Array& array_of(const redis::Reply& reply) {
  static const redis::Reply::Array kNone;
  const redis::Reply::Array* array = reply.array();
  return array == nullptr ? kNone : *array;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::uint64_t count_of(const redis::Reply& reply) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(integer_of(reply), 0));
}

double score_of(const redis::Reply& reply) {
  if (const double* number = std::get_if<double>(&reply.value)) return *number;
  const std::string text = text_of(reply);
  double score = 0;
  std::from_chars(text.data(), text.data() + text.size(), score);
  return score;
}

Time server_time(const redis::Reply& reply) {
  const auto& parts = array_of(reply);
  if (parts.size() != 2) return {};
  return from_ms(integer_of(parts[0]) * 1000 + integer_of(parts[1]) / 1000);
}

std::int64_t whole_number(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || std::isnan(number)) return 0;
  return static_cast<std::int64_t>(std::clamp(std::floor(number), -kMostMs, kMostMs));
}

Time due_of_score(double score) {
  return from_ms(static_cast<std::int64_t>(std::floor(score / 4096)));
}

Error malformed(std::string_view script) {
  return {Errc::kCorrupt, fmt::format("the reply of script {} does not have the expected shape", script)};
}

Error store_closed() {
  return {Errc::kStopping, "the store was closed"};
}

std::optional<State> state_of(std::string_view letter) {
  if (letter == "w") return State::kWaiting;
  if (letter == "p") return State::kPrioritized;
  if (letter == "d") return State::kDelayed;
  if (letter == "a") return State::kActive;
  if (letter == "c") return State::kCompleted;
  if (letter == "f") return State::kFailed;
  return std::nullopt;
}

char letter_of(State state) {
  switch (state) {
    case State::kWaiting: return 'w';
    case State::kPrioritized: return 'p';
    case State::kDelayed: return 'd';
    case State::kActive: return 'a';
    case State::kCompleted: return 'c';
    case State::kFailed: return 'f';
    case State::kWaitingChildren: break;
  }
  return '-';
}

Error no_such_job(const JobRef& job) {
  return {Errc::kNotFound, fmt::format("queue {}: there is no job {}", job.queue.value, job.id.value)};
}

Error not_in_state(const JobRef& job, std::string_view letter, std::string_view wanted) {
  const auto state = state_of(letter);
  return {Errc::kNotInState, fmt::format("job {} is {}, not {}", job.id.value,
                                         state ? to_string(*state) : std::string_view("elsewhere"), wanted)};
}

}  // namespace gaur::redis_store
