#include "redis_store/dialect_evidence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "redis/options.hpp"

namespace gaur::redis_store {

namespace {

constexpr std::array<std::string_view, 4> kBullMqKeys{"marker", "prioritized", "pc", "waiting-children"};
constexpr std::array<std::string_view, 3> kBullKeys{"meta-paused", "priority", "limiter:index"};
constexpr std::array<std::string_view, 6> kBullMqFields{"atm", "ats", "stc", "rjk", "pb", "parentKey"};
constexpr std::array<std::string_view, 3> kBullFields{"attemptsMade", "stalledCounter", "retriedOn"};

template <class Range>
bool contains(const Range& range, std::string_view text) {
  return std::find(range.begin(), range.end(), text) != range.end();
}

/// Bull writes creation time and at least one attempt into every job's options; BullMQ 6 does not.
bool has_bull_options(const DialectFacts::SampledJob& job) {
  const auto options = json::parse_object(job.options);
  if (!options) return false;
  const auto attempts = json::integer(*options, "attempts");
  return options->contains("timestamp") && attempts && *attempts >= 1;
}

/// A UUID, a colon and digits.
bool is_bullmq_token(std::string_view token) {
  const auto colon = token.find(':');
  return colon == 36 &&
         std::all_of(token.begin() + 37, token.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         token.size() > 37;
}

void add_job_evidence(const DialectFacts::SampledJob& job, Evidence& evidence) {
  bool of_bullmq = false;
  std::vector<std::string> fields;
  for (const std::string& field : job.fields) {
    if (contains(kBullMqFields, field)) fields.push_back(field);
  }
  if (!fields.empty()) evidence.removals.push_back({"HDEL", job.id, fields});
  bool of_bull = false;
  for (const std::string& field : job.fields) {
    if (contains(kBullMqFields, field) && !of_bullmq) {
      of_bullmq = true;
      evidence.bullmq.push_back(fmt::format("job {} has the field {}", job.id, field));
    }
    if (contains(kBullFields, field) && !of_bull) {
      of_bull = true;
      evidence.bull.push_back(fmt::format("job {} has the field {}", job.id, field));
    }
  }
  if (is_bullmq_token(job.lock)) {
    of_bullmq = true;
    evidence.bullmq.push_back(fmt::format("the lock of job {}", job.id));
  }
  if (!of_bullmq && !of_bull && has_bull_options(job))
    evidence.bull.push_back(fmt::format("the options of job {}", job.id));
}

}  // namespace

std::string_view to_string(DetectedDialect dialect) {
  switch (dialect) {
    case DetectedDialect::kUnknown: return "unknown";
    case DetectedDialect::kBull: return "bull";
    case DetectedDialect::kBullMq: return "bullmq";
    case DetectedDialect::kMixed: return "mixed";
  }
  return "unknown";
}

const std::vector<std::string>& evidence_keys() {
  static const std::vector<std::string> kKeys = [] {
    std::vector<std::string> keys(kBullMqKeys.begin(), kBullMqKeys.end());
    keys.insert(keys.end(), kBullKeys.begin(), kBullKeys.end());
    return keys;
  }();
  return kKeys;
}

DetectedDialect Evidence::dialect() const {
  if (bullmq.empty()) return bull.empty() ? DetectedDialect::kUnknown : DetectedDialect::kBull;
  return bull.empty() ? DetectedDialect::kBullMq : DetectedDialect::kMixed;
}

std::string Evidence::removal_command() const {
  std::string unlink;
  std::vector<std::string> others;
  for (const Removal& removal : removals) {
    const std::string key = redis::shell_word(base + removal.key);
    if (removal.command == "UNLINK") {
      unlink += " " + key;
      continue;
    }
    std::string line = fmt::format("{} {} {}", cli, removal.command, key);
    for (const std::string& argument : removal.arguments) line += " " + redis::shell_word(argument);
    others.push_back(std::move(line));
  }
  if (!unlink.empty()) others.insert(others.begin(), cli + " UNLINK" + unlink);
  return fmt::format("{}", fmt::join(others, " && "));
}

Evidence evidence_of(const DialectFacts& facts) {
  Evidence evidence;
  if (facts.events_stream) {
    evidence.bullmq.emplace_back("the stream events");
    evidence.removals.push_back({"UNLINK", "events", {}});
  }
  if (facts.meta_version.starts_with("bullmq"))
    evidence.client_traces.push_back(fmt::format("meta has version {}", facts.meta_version));
  if (facts.meta_max_events) evidence.client_traces.emplace_back("meta has the field opts.maxLenEvents");
  for (const std::string& key : facts.keys) {
    if (contains(kBullKeys, key)) evidence.bull.push_back("the key " + key);
    if (!contains(kBullMqKeys, key)) continue;
    evidence.bullmq.push_back("the key " + key);
    evidence.removals.push_back({"UNLINK", key, {}});
  }
  for (const auto& [member, scheduler, hash] : facts.repeat) {
    if (scheduler) {
      evidence.bullmq.push_back(fmt::format("the job scheduler {}", member));
      evidence.removals.push_back({"ZREM", "repeat", {member}});
      evidence.removals.push_back({"UNLINK", "repeat:" + member, {}});
    } else if (!hash && std::count(member.begin(), member.end(), ':') >= 3) {
      evidence.bull.push_back(fmt::format("the repeatable job {}", member));
    }
  }
  for (const auto& job : facts.jobs) add_job_evidence(job, evidence);
  for (const std::string& command : facts.worker_commands) {
    if (command == "bzpopmin") evidence.bullmq.emplace_back("a worker that waits with BZPOPMIN");
    if (command == "brpoplpush" || command == "blmove")
      evidence.bull.push_back(fmt::format("a worker that waits with {}", command));
  }
  return evidence;
}

}  // namespace gaur::redis_store
