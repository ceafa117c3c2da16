#include "app/look/report.hpp"

#include <fmt/format.h>

#include "app/look/gather.hpp"
#include "app/look/statistics.hpp"
#include "app/text/text_table.hpp"
#include "base/json.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kListed = 5;  // jobs listed by id

std::string byte_text(double bytes) {
  return human_bytes(static_cast<std::uint64_t>(bytes));
}

std::string server_text(const LookFacts& facts) {
  const bull::ServerFacts& server = facts.server;
  std::string persistence =
      server.append_only
          ? "append-only file" + (server.append_fsync.empty() ? "" : " (" + server.append_fsync + ")")
      : !server.config_readable ? "no append-only file"
      : server.save.empty()     ? "none"
                                : "snapshots (" + server.save + ")";
  return fmt::format(
      "{}  prefix \"{}\"\n\n{} {}, {}, {}, up {}\n  memory       {} used, peak {}, {}\n  policy    "
      "   {}\n  persistence  {}\n"
      "  clients      {}\n",
      facts.url, facts.prefix, server.flavour, server.version, server.mode, server.role,
      human_age(std::chrono::seconds(server.uptime_seconds)), human_bytes(server.used_bytes),
      human_bytes(server.peak_bytes),
      server.maxmemory_bytes == 0 ? std::string("no limit") : "limit " + human_bytes(server.maxmemory_bytes),
      server.maxmemory_policy, persistence, server.connected_clients);
}

std::string hosts_text(const LookFacts& facts) {
  std::string text;
  for (const ConnectedHost& host : facts.hosts) text += "  gaur host    " + describe(host) + "\n";
  return text;
}

std::string queue_table(const LookFacts& facts) {
  TextTable table({"queue", "dialect", ">waiting", ">priority", ">active", ">no lock", ">delayed", ">overdue",
                   ">completed", ">failed", ">oldest waits", ">workers", "paused"});
  for (const QueueFacts& queue : facts.queues) {
    const bull::QueueLook& look = queue.look;
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    table.row({cut(look.queue.value, 60), std::string(to_string(look.evidence.dialect())),
               number(look.counts[State::kWaiting]), number(look.counts[State::kPrioritized]),
               number(look.counts[State::kActive]), number(look.unlocked.size()),
               number(look.counts[State::kDelayed]), number(look.overdue_total),
               number(look.counts[State::kCompleted]), number(look.counts[State::kFailed]),
               look.oldest_waiting_since ? human_age(look.now - *look.oldest_waiting_since) : "-",
               number(look.workers.size()), look.counts.paused ? "yes" : ""});
  }
  return table.text();
}

std::vector<KeptJob> sampled(const QueueFacts& queue) {
  std::vector<KeptJob> jobs = queue.kept;
  jobs.insert(jobs.end(), queue.waiting.begin(), queue.waiting.end());
  return jobs;
}

std::uint64_t kept_total(const QueueFacts& queue) {
  return queue.look.counts[State::kCompleted] + queue.look.counts[State::kFailed];
}
std::uint64_t waiting_total(const QueueFacts& queue) {
  const Counts& counts = queue.look.counts;
  return counts[State::kWaiting] + counts[State::kPrioritized] + counts[State::kDelayed];
}

/// "1000 kept jobs, a sample of 52000: the newest; 3 waiting or delayed".
std::string samples_text(const QueueFacts& queue) {
  std::string text = fmt::format("{} kept jobs", queue.kept.size());
  if (queue.kept.size() < kept_total(queue))
    text += fmt::format(", a sample of {}: the newest of each state", kept_total(queue));
  text += fmt::format("; {} waiting or delayed", queue.waiting.size());
  if (queue.waiting.size() < waiting_total(queue))
    text += fmt::format(
        ", a sample of {}: half the next to start, half the last added; delayed ones the first due",
        waiting_total(queue));
  return text;
}

std::string look_table(const QueueFacts& queue, const std::string& field) {
  TextTable table({"function", ">kept", ">failed", ">waiting", ">wait p50 / p95", ">run p50 / p95",
                   ">longest", ">data p50 / p95", ">result p50 / p95"});
  for (const FunctionLook& function : functions_of(sampled(queue), field)) {
    table.row({cut(function.function, 40), std::to_string(function.completed + function.failed),
               std::to_string(function.failed), std::to_string(function.waiting),
               spread_text(function.wait_ms, ms_text), spread_text(function.run_ms, ms_text),
               function.run_ms.count == 0 ? "-" : ms_text(function.run_ms.most),
               spread_text(function.data_bytes, byte_text), spread_text(function.result_bytes, byte_text)});
  }
  return table.text();
}

/// Orphans and overdue jobs by id, the oldest first.
std::string listed_jobs(const bull::QueueLook& look) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kListed, look.unlocked.size()); ++i) {
    const bull::UnlockedActive& job = look.unlocked[i];
    text += fmt::format("  active without a lock: {} ({}), {}\n", cut(job.id.value, 60), cut(job.name, 40),
                        job.age ? "started " + human_age(*job.age) + " ago" : "taken and never locked");
  }
  if (look.unlocked.size() > kListed)
    text += fmt::format("  ... and {} more\n", look.unlocked.size() - kListed);
  for (std::size_t i = 0; i < std::min(kListed, look.overdue.size()); ++i) {
    text += fmt::format("  delayed and overdue: {}, due {} ago\n", cut(look.overdue[i].id.value, 60),
                        human_age(look.now - look.overdue[i].due));
  }
  if (look.overdue_total > kListed) text += fmt::format("  ... and {} more\n", look.overdue_total - kListed);
  return text;
}

json::Object look_function_json(const FunctionLook& function) {
  json::Array failures;
  for (const auto& [text, count] : function.failures)
    failures.push_back(json::Object{{"message", text}, {"count", count}});
  return {{"function", function.function},
          {"completed", function.completed},
          {"failed", function.failed},
          {"waiting", function.waiting},
          {"wait_ms", spread_json(function.wait_ms)},
          {"run_ms", spread_json(function.run_ms)},
          {"data_bytes", spread_json(function.data_bytes)},
          {"result_bytes", spread_json(function.result_bytes)},
          {"failures", failures}};
}

json::Object queue_json(const QueueFacts& queue, const std::string& field) {
  const bull::QueueLook& look = queue.look;
  json::Array functions;
  for (const FunctionLook& function : functions_of(sampled(queue), field))
    functions.push_back(look_function_json(function));
  json::Array unlocked;
  for (const bull::UnlockedActive& job : look.unlocked) {
    json::Object entry{{"id", job.id.value}, {"name", job.name}, {"stalled", job.stalled}};
    entry["age_ms"] = job.age ? json::Value(job.age->count()) : json::Value(nullptr);
    unlocked.push_back(std::move(entry));
  }
  json::Array overdue;
  for (const bull::Overdue& job : look.overdue)
    overdue.push_back(json::Object{{"id", job.id.value}, {"overdue_ms", (look.now - job.due).count()}});
  json::Array evidence;
  for (const auto* list : {&look.evidence.bull, &look.evidence.bullmq}) {
    for (const std::string& phrase : *list) evidence.emplace_back(phrase);
  }
  json::Object made{{"queue", look.queue.value},
                    {"dialect", to_string(look.evidence.dialect())},
                    {"evidence", evidence},
                    {"waiting", look.counts[State::kWaiting]},
                    {"prioritized", look.counts[State::kPrioritized]},
                    {"active", look.counts[State::kActive]},
                    {"delayed", look.counts[State::kDelayed]},
                    {"completed", look.counts[State::kCompleted]},
                    {"failed", look.counts[State::kFailed]},
                    {"paused", look.counts.paused},
                    {"unlocked", unlocked},
                    {"overdue_total", look.overdue_total},
                    {"overdue", overdue},
                    {"repeatable", look.repeatable},
                    {"stalled_check_runs", look.stalled_check_runs},
                    {"workers", look.workers.size()},
                    {"functions", functions},
                    {"kept_sampled", queue.kept.size()},
                    {"kept_total", kept_total(queue)},
                    {"waiting_sampled", queue.waiting.size()},
                    {"waiting_total", waiting_total(queue)}};
  made["oldest_waiting_ms"] = look.oldest_waiting_since
                                  ? json::Value((look.now - *look.oldest_waiting_since).count())
                                  : json::Value(nullptr);
  return made;
}

json::Object server_json(const bull::ServerFacts& server) {
  return {{"version", server.version},
          {"flavour", server.flavour},
          {"mode", server.mode},
          {"role", server.role},
          {"maxmemory_policy", server.maxmemory_policy},
          {"maxmemory_bytes", server.maxmemory_bytes},
          {"used_bytes", server.used_bytes},
          {"peak_bytes", server.peak_bytes},
          {"append_only", server.append_only},
          {"append_fsync", server.append_fsync},
          {"save", server.save},
          {"config_readable", server.config_readable},
          {"evicted_keys", server.evicted_keys},
          {"connected_clients", server.connected_clients},
          {"uptime_seconds", server.uptime_seconds}};
}

json::Array hosts_json(const LookFacts& facts) {
  json::Array hosts;
  for (const ConnectedHost& host : facts.hosts) {
    hosts.push_back(json::Object{
        {"worker", host.worker}, {"machine", host.machine}, {"pid", host.pid}, {"address", host.address}});
  }
  return hosts;
}

json::Array prefixes_json(const LookFacts& facts) {
  json::Array prefixes;
  if (!facts.prefixes) return prefixes;
  for (const auto& [prefix, queues] : facts.prefixes->prefixes)
    prefixes.push_back(
        json::Object{{"prefix", prefix}, {"queues", json::Array(queues.begin(), queues.end())}});
  return prefixes;
}

}  // namespace

std::string look_text(const LookReport& report) {
  std::string text = server_text(report.facts) + hosts_text(report.facts);
  if (report.facts.queues.empty()) {
    text += fmt::format("\nno queue under the prefix {}\n", json::quote(report.facts.prefix));
    if (report.facts.prefixes) text += human_prefixes(*report.facts.prefixes) + "\n";
  } else {
    text += "\n" + queue_table(report.facts);
  }
  for (const QueueFacts& queue : report.facts.queues) {
    const std::string jobs = listed_jobs(queue.look);
    const std::string name = cut(queue.look.queue.value, 60);
    if (!jobs.empty()) text += fmt::format("\n{}\n{}", name, jobs);
    if (!queue.kept.empty() || !queue.waiting.empty())
      text +=
          fmt::format("\n{}: {}\n{}", name, samples_text(queue), look_table(queue, report.function_field));
  }
  for (const std::string& name : report.facts.unusable)
    text += fmt::format("\nqueue {} cannot be used: a name has at most 480 bytes of UTF-8\n",
                        cut(json::quote(name), 100));
  text += report.findings.empty() ? "\nno findings\n" : "\nfindings\n";
  for (const Finding& finding : report.findings) {
    text += fmt::format("  {}  {}{}\n    -> {}\n", to_string(finding.weight),
                        finding.queue.empty() ? "" : cut(finding.queue, 60) + ": ", cut(finding.what, 400),
                        finding.advice);
  }
  return text;
}

std::string look_json(const LookReport& report) {
  json::Array queues;
  for (const QueueFacts& queue : report.facts.queues)
    queues.push_back(queue_json(queue, report.function_field));
  json::Array findings;
  for (const Finding& finding : report.findings) {
    findings.push_back(json::Object{{"weight", to_string(finding.weight)},
                                    {"code", finding.code},
                                    {"queue", finding.queue},
                                    {"what", finding.what},
                                    {"advice", finding.advice}});
  }
  std::vector<std::string> unusable;  // quoted: a name may contain bytes that are not UTF-8
  for (const std::string& name : report.facts.unusable) unusable.push_back(json::quote(name));
  return json::serialize(json::Object{{"url", report.facts.url},
                                      {"prefix", report.facts.prefix},
                                      {"server", server_json(report.facts.server)},
                                      {"every_queue", report.facts.every_queue},
                                      {"queues", queues},
                                      {"unusable_queues", json::Array(unusable.begin(), unusable.end())},
                                      {"prefixes", prefixes_json(report.facts)},
                                      {"hosts", hosts_json(report.facts)},
                                      {"findings", findings}});
}

}  // namespace gaur::app
