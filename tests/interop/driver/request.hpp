#pragma once
// One request line of the driver, and how it is answered. Thread-safety: a Request belongs to one thread;
// Answers may be used from any.
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/json_text.hpp"
#include "gaur/future.hpp"
#include "gaur/queue.hpp"

namespace gaur::driver {

/// {"number": 1, "verb": "add", "queue": "q", ...}. Members keep their text, so that job data reach the store
/// byte for byte.
class Request {
 public:
  static Result<Request> parse(std::string_view line);

  std::uint64_t number() const { return number_; }
  const std::string& verb() const { return verb_; }
  QueueName queue() const { return QueueName(text("queue")); }
  JobRef job() const { return {queue(), JobId(text("id"))}; }

  bool has(std::string_view key) const { return raw(key).has_value(); }
  std::optional<std::string_view> raw(std::string_view key) const;
  std::string text(std::string_view key, std::string_view otherwise = "") const;
  std::int64_t whole(std::string_view key, std::int64_t otherwise = 0) const;
  bool flag(std::string_view key) const { return raw(key) == "true"; }
  Duration span(std::string_view key, std::int64_t otherwise_ms = 0) const {
    return Duration(whole(key, otherwise_ms));
  }

 private:
  std::shared_ptr<const std::string> line_;  // stays where it is: members_ are views into it
  std::vector<json::Member> members_;
  std::uint64_t number_ = 0;
  std::string verb_;
};

/// Writes answers to stdout, one line each.
class Answers {
 public:
  void value(std::uint64_t number, std::string_view json);
  void error(std::uint64_t number, const Error& error);

 private:
  void line(const std::string& text);
  std::mutex mutex_;
};

}  // namespace gaur::driver
