#include "conformance/show.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/result_json.hpp"

namespace gaur::conformance {

namespace {

std::string at(const std::optional<Time>& time) {
  return time ? std::to_string(to_ms(*time)) : "-";
}

std::string list(std::vector<JobId> ids) {
  std::sort(ids.begin(), ids.end());
  std::string text;
  for (const JobId& id : ids) text += id.value + " ";
  return text;
}

std::string show_cancels(const std::vector<CancelRequest>& cancels) {
  std::vector<std::string> lines;
  for (const auto& c : cancels)
    lines.push_back(fmt::format("{}/{} {} {} {}", c.queue.value, c.id.value, c.token.value, c.who, c.why));
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", lines);
}

}  // namespace

std::string show(const Job& job) {
  std::string text = fmt::format(
      "{}/{} {} \"{}\" {} prio {} delay {} due {} made {} started {} stalled {} progress '{}' result '{}'",
      job.queue.value, job.id.value, to_string(job.state), job.name, job.data, job.priority,
      job.delay.count(), at(job.due), job.attempts_made, job.attempts_started, job.stalled, job.progress,
      result_json(job));
  text += fmt::format(" at {} ran {} ended {} by '{}' traces {}", to_ms(job.timestamp), at(job.processed_on),
                      at(job.finished_on), job.processed_by, job.stacktrace);
  if (job.failure)
    text += fmt::format(" failure {} '{}' '{}'", job.failure->code, job.failure->stack, job.failure->details);
  if (job.usage)
    text += fmt::format(" cpu {} peak {} wall {}", job.usage->cpu_us, job.usage->peak_rss_bytes,
                        job.usage->wall_us);
  return text;
}

std::string show(const Added& added) {
  return fmt::format("{} {}{}", added.id.value, to_string(added.state), added.duplicate ? " duplicate" : "");
}

std::string show(const FinishResult& result) {
  return fmt::format("{}{} made {} stalled {} due {}", to_string(result.state),
                     result.kept ? "" : " (removed)", result.attempts_made, result.stalled, at(result.due));
}

std::string show(const Taken& taken) {
  return fmt::format("{} as {} for {}", show(taken.job), taken.function.value, taken.token.value);
}

std::string show(const QueueHint& next) {
  return fmt::format("due {}{}{}", at(next.due), next.more && !next.paused ? " more" : "",
                     next.paused ? " paused" : "");
}

std::string show(const TakeReply& reply) {
  std::string text = fmt::format("finished {} taken {} next {} cancels {}", show(reply.finished),
                                 show(reply.taken), show(reply.next), show_cancels(reply.cancels));
  if (reply.blocked)
    text += fmt::format(" blocked {} {} since {}", reply.blocked->id.value, reply.blocked->function.value,
                        to_ms(reply.blocked->waiting_since));
  return text;
}

std::string show(const ExtendReply& reply) {
  return show(reply.locks) + " cancels " + show_cancels(reply.cancels);
}

std::string show(const Recovered& recovered) {
  return "requeued " + list(recovered.requeued) + "failed " + list(recovered.failed);
}

std::string show(const Counts& counts) {
  return fmt::format("{}{}", counts.of, counts.paused ? " paused" : "");
}

std::string show(const Position& position) {
  return fmt::format("{}{}", position.exact ? "" : "about ", position.before);
}

std::string show(const LogPage& page) {
  return fmt::format("{} of {}", page.lines, page.total);
}

std::string show(const Event& event) {
  std::string text = fmt::format("{} {}", to_string(event.kind), event.id.value);
  if (event.previous) text += fmt::format(" from {}", to_string(*event.previous));
  // Omits reasons: the messages of the stores differ. The job's failure code is compared instead.
  if (event.kind != EventKind::kFailed && event.kind != EventKind::kCancelRequested)
    text += " '" + event.detail + "'";
  return text;
}

std::string show(const EventPage& page) {
  return show(page.events) + (page.gap ? " gap" : "");
}

}  // namespace gaur::conformance
