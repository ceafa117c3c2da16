// The rules of BullMQ 6: a job that is accepted here is accepted by every peer.
#include "core/validation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/duration_text.hpp"
#include "base/json.hpp"
#include "base/number_rule.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"

namespace gaur {

namespace {

bool is_canonical_integer(std::string_view text) {
  if (text == "0") return true;
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && text.front() != '0';
}

void check_id(const JobId& id, const Limits& limits, std::vector<std::string>& problems) {
  const std::string& text = id.value;
  const auto say = [&](std::string_view rule) {
    problems.push_back(fmt::format("id: {}, was {}", rule, json::quote(text)));
  };
  if (text.empty()) say("must not be empty");
  if (text.size() > limits.id_bytes) say(fmt::format("at most {} bytes", limits.id_bytes));
  if (is_canonical_integer(text)) say("a whole number is reserved for the store's own ids; add a letter");
  if (text.starts_with("0:")) say("must not start with \"0:\"");
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (colons != 0 && colons != 2) say("a colon is allowed only as in \"repeat:<scheduler>:<ms>\"");
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control) say("must not contain control characters");
  if (!json::is_utf8(text)) say("must be UTF-8");
}

void check_wait(std::string_view field, Duration wait, std::vector<std::string>& problems) {
  if (wait < Duration{0} || wait > kLongestDuration) {
    problems.push_back(
        fmt::format("{}: 0 to {} ms (ten years), was {}", field, kLongestDuration.count(), wait.count()));
  }
}

}  // namespace

std::vector<std::string> problems_of(const JobOptions& options, const Limits& limits) {
  std::vector<std::string> problems;
  if (options.id) check_id(*options.id, limits, problems);
  check_wait("delay", options.delay, problems);
  check_wait("backoff.delay", options.backoff.delay, problems);
  const auto check_most = [&](std::string_view field, std::uint32_t least, std::uint32_t most,
                              std::uint32_t value) {
    if (value > most)
      problems.push_back(fmt::format("{}: {}", field, whole_number_rule(least, most, std::to_string(value))));
  };
  check_most("priority", 0, kMaxPriority, options.priority);
  check_most("attempts", 1, kMaxAttempts, options.attempts);
  if (!(options.backoff.jitter >= 0 && options.backoff.jitter <= 1)) {
    problems.push_back(fmt::format("backoff.jitter: 0 to 1, was {}", options.backoff.jitter));
  }
  if (options.timeout) check_wait("timeout", *options.timeout, problems);
  if (options.timeout && *options.timeout == Duration{0})
    problems.emplace_back("timeout: above 0 ms, was 0; leave it out for none");
  if (options.queue_timeout) check_wait("queue_timeout", *options.queue_timeout, problems);
  if (options.deduplication && options.deduplication->id.empty())
    problems.emplace_back("deduplication.id: must not be empty");
  if (options.deduplication && options.parent)
    problems.emplace_back("deduplication: cannot be used together with parent");
  return problems;
}

std::vector<std::string> problems_of_job(std::string_view name, std::string_view data,
                                         const JobOptions& options, const Limits& limits) {
  std::vector<std::string> problems = problems_of(options, limits);
  if (name.empty()) problems.emplace_back("name: must not be empty");
  if (name.size() > limits.name_bytes)
    problems.push_back(fmt::format("name: at most {} bytes, was {}", limits.name_bytes, name.size()));
  if (!json::is_utf8(name)) problems.emplace_back("name: must be UTF-8");
  if (name.find('\0') != std::string_view::npos)
    problems.emplace_back("name: must not contain a NUL character");
  if (data.size() > limits.data_bytes) {
    problems.push_back(fmt::format("data: at most {} bytes, was {}", limits.data_bytes, data.size()));
  } else if (const auto parsed = json::parse(data); !parsed) {
    problems.push_back("data: " + parsed.error().message);
  }
  return problems;
}

Status validate_queue_name(std::string_view name) {
  constexpr std::size_t kLongest = 480;  // an LMDB key holds 511 bytes
  if (!name.empty() && name.size() <= kLongest && json::is_utf8(name)) return ok();
  return Error{Errc::kInvalidArgument, fmt::format("queue name: 1 to {} bytes of UTF-8 are allowed, was {}",
                                                   kLongest, json::quote(utf8_prefix(name, 140)))};
}

Status validate_add(const AddRequest& request, std::string_view store, Capabilities capabilities) {
  GAUR_CHECK(validate_queue_name(request.queue.value));
  const Limits limits;
  if (request.jobs.size() > limits.add_batch) {
    return Error{Errc::kTooLarge,
                 fmt::format("at most {} jobs in one add, were {}", limits.add_batch, request.jobs.size())};
  }
  std::size_t bytes = 0;
  for (const NewJob& job : request.jobs) bytes += job.name.size() + job.data.size();
  if (bytes > kMostAddBytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("at most {} MiB in one add; send fewer jobs at once", kMostAddBytes >> 20)};
  }
  for (const NewJob& job : request.jobs) {
    const auto problems = problems_of_job(job.name, job.data, job.options, limits);
    if (!problems.empty()) return Error{Errc::kInvalidArgument, fmt::format("{}", fmt::join(problems, "; "))};
    if (job.options.deduplication && !capabilities.has(Capability::kDeduplication))
      return Error{Errc::kUnsupported, fmt::format("{} lacks deduplication", store)};
    if (job.options.parent) return Error{Errc::kUnsupported, fmt::format("{} lacks flows", store)};
  }
  return ok();
}

}  // namespace gaur
