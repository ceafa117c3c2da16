#include "bull/detect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "redis/options.hpp"

namespace gaur::bull {

namespace {

constexpr std::array<std::string_view, 4> kBullMqKeys{"marker", "prioritized", "pc", "waiting-children"};
constexpr std::array<std::string_view, 3> kBullKeys{"meta-paused", "priority", "limiter:index"};
constexpr std::array<std::string_view, 6> kBullMqFields{"atm", "ats", "stc", "rjk", "pb", "parentKey"};
constexpr std::array<std::string_view, 3> kBullFields{"attemptsMade", "stalledCounter", "retriedOn"};

template <class Range>
bool holds(const Range& range, std::string_view text) {
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

void weigh_job(const DialectFacts::SampledJob& job, Evidence& evidence) {
  bool of_bullmq = false;
  std::vector<std::string> fields;
  for (const std::string& field : job.fields) {
    if (holds(kBullMqFields, field)) fields.push_back(field);
  }
  if (!fields.empty()) evidence.removals.push_back({"HDEL", job.id, fields});
  bool of_bull = false;
  for (const std::string& field : job.fields) {
    if (holds(kBullMqFields, field) && !of_bullmq) {
      of_bullmq = true;
      evidence.bullmq.push_back(fmt::format("job {} has the field {}", job.id, field));
    }
    if (holds(kBullFields, field) && !of_bull) {
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

/// What the command takes with it, where that is jobs.
std::string loss_of(const Evidence& evidence) {
  for (const Evidence::Removal& removal : evidence.removals) {
    if (removal.key == "prioritized" || removal.key == "waiting-children")
      return fmt::format(" (that drops the jobs of BullMQ that wait in {})", removal.key);
  }
  return "";
}

std::string first_of(const std::vector<std::string>& phrases) {
  constexpr std::size_t kShown = 5;
  const std::vector<std::string> shown(
      phrases.begin(), phrases.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, phrases.size())));
  return fmt::format("{}{}", fmt::join(shown, ", "), phrases.size() > kShown ? ", ..." : "");
}

}  // namespace

std::string_view to_string(Dialect dialect) {
  switch (dialect) {
    case Dialect::kUnknown: return "unknown";
    case Dialect::kBull: return "bull";
    case Dialect::kBullMq: return "bullmq";
    case Dialect::kMixed: return "mixed";
  }
  return "unknown";
}

const std::vector<std::string>& telling_keys() {
  static const std::vector<std::string> kKeys = [] {
    std::vector<std::string> keys(kBullMqKeys.begin(), kBullMqKeys.end());
    keys.insert(keys.end(), kBullKeys.begin(), kBullKeys.end());
    return keys;
  }();
  return kKeys;
}

Dialect Evidence::dialect() const {
  if (bullmq.empty()) return bull.empty() ? Dialect::kUnknown : Dialect::kBull;
  return bull.empty() ? Dialect::kBullMq : Dialect::kMixed;
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

Evidence weigh(const DialectFacts& facts) {
  Evidence evidence;
  if (facts.events_stream) {
    evidence.bullmq.emplace_back("the stream events");
    evidence.removals.push_back({"UNLINK", "events", {}});
  }
  if (facts.meta_version.starts_with("bullmq"))
    evidence.looked.push_back(fmt::format("meta says version {}", facts.meta_version));
  if (facts.meta_max_events) evidence.looked.emplace_back("meta has the field opts.maxLenEvents");
  for (const std::string& key : facts.keys) {
    if (holds(kBullKeys, key)) evidence.bull.push_back("the key " + key);
    if (!holds(kBullMqKeys, key)) continue;
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
  for (const auto& job : facts.jobs) weigh_job(job, evidence);
  for (const std::string& command : facts.worker_commands) {
    if (command == "bzpopmin") evidence.bullmq.emplace_back("a worker that waits with BZPOPMIN");
    if (command == "brpoplpush" || command == "blmove")
      evidence.bull.push_back(fmt::format("a worker that waits with {}", command));
  }
  return evidence;
}

Status may_be_used_as_bull(const QueueName& queue, const Evidence& evidence) {
  const std::string command = evidence.removal_command();
  const std::string remove = command.empty() ? "" : fmt::format(": {}{}", command, loss_of(evidence));
  switch (evidence.dialect()) {
    case Dialect::kUnknown:
    case Dialect::kBull: return ok();
    case Dialect::kBullMq:
      return Error{
          Errc::kPermission,
          fmt::format("queue {} speaks BullMQ ({}); the Bull dialect would lose its jobs. Use another queue "
                      "name or prefix for Bull. If BullMQ is not used there any more, stop its clients and "
                      "remove what they left{}",
                      queue.value, first_of(evidence.bullmq), remove)};
    case Dialect::kMixed:
      return Error{
          Errc::kPermission,
          fmt::format(
              "queue {} is mixed: Bull wrote {}; BullMQ wrote {}. Each loses jobs of the other; Gaur "
              "takes no jobs from it. Stop the clients of one of them, or give them another prefix, and let "
              "its jobs finish; if it is BullMQ, then remove what only it wrote{}",
              queue.value, first_of(evidence.bull), first_of(evidence.bullmq), remove)};
  }
  return ok();
}

}  // namespace gaur::bull
