#include "app/host/startup_report.hpp"

#include <fmt/format.h>

#include "app/config/units.hpp"
#include "app/host/print.hpp"
#include "base/try.hpp"
#include "core/human_text.hpp"

namespace gaur::app {
namespace {

/// What the recovery of this host does with an unlocked job.
std::string recovery_of(const bull::UnlockedActive& job, const RecoveryConfig& config) {
  if (config.stalled != RecoveryConfig::Stalled::kOn) return "only reported";
  const bool orphan = config.orphan_age > Duration{0} && job.age && *job.age > config.orphan_age;
  if (orphan) return "an orphan, not requeued";
  return config.grace > Duration{0}
             ? fmt::format("requeued if it stays unlocked for {}", format_duration(config.grace))
             : "requeued";
}

void print_unlocked(const bull::QueueLook& look, const RecoveryConfig& config) {
  if (look.unlocked.empty()) return;
  print_to(stdout, "  {} active without a lock:\n", look.unlocked.size());
  constexpr std::size_t kMost = 20;
  for (std::size_t i = 0; i < look.unlocked.size() && i < kMost; ++i) {
    const bull::UnlockedActive& job = look.unlocked[i];
    print_to(stdout, "    {} {}: {}\n", job.id.value,
             job.age ? "started " + human_duration(*job.age) + " ago" : "never started",
             recovery_of(job, config));
  }
  if (look.unlocked.size() > kMost) print_to(stdout, "    and {} more\n", look.unlocked.size() - kMost);
}

void print_overdue(const bull::QueueLook& look) {
  if (look.overdue_total == 0) return;
  std::vector<std::string> texts;
  for (const bull::Overdue& job : look.overdue) {
    texts.push_back(fmt::format("{} (due {} ago)", job.id.value,
                                human_duration(std::max(look.now - job.due, Duration{0}))));
  }
  print_to(stdout, "  {} overdue delayed {}, woken now: {}\n", look.overdue_total,
           look.overdue_total == 1 ? "job" : "jobs", human_list(texts, look.overdue_total));
}

}  // namespace

std::string human_counts(const Counts& counts) {
  std::string text;
  for (const State state : kAllStates) {
    if (counts[state] == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", counts[state], to_string(state));
  }
  return (text.empty() ? "empty" : text) + (counts.paused ? ", paused" : "");
}

std::string human_list(const std::vector<std::string>& items, std::uint64_t total, std::size_t most) {
  std::string text;
  const std::size_t shown = std::min(items.size(), most);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + items[i];
  if (total > shown) text += fmt::format(" and {} more", total - shown);
  return text;
}

Status print_startup_report(Host& host, const Config& config, Role role) {
  OpenedStore& opened = host.opened();
  print_to(stdout, "{}\n", opened.description);
  if (role == Role::kSweeper) print_to(stdout, "recovery only: no jobs are taken\n");
  for (const auto& [name, queue] : config.queues) {
    if (!opened.inspector) {
      GAUR_TRY(const Counts counts, opened.store().counts(QueueName(name)).get());
      print_to(stdout, "queue {}: {}\n", name, human_counts(counts));
      continue;
    }
    if (const auto refused = host.refused_at_start().find(QueueName(name));
        refused != host.refused_at_start().end()) {
      print_to(stdout, "queue {}: refused, no jobs are taken from it: {}\n", name,
               refused->second.error.message);
      continue;
    }
    GAUR_TRY(const bull::QueueLook look, opened.inspector->look(QueueName(name)).get());
    const bool certain = look.evidence.dialect() == redis_store::DetectedDialect::kBull;
    print_to(stdout, "queue {} (dialect bull{}): {}\n", name, certain ? "" : ", assumed",
             human_counts(look.counts));
    print_unlocked(look, config.recovery);
    print_overdue(look);
    if (look.repeatable > 0)
      print_to(stdout, "  {} repeatable {}: each start of one schedules its next run\n", look.repeatable,
               look.repeatable == 1 ? "job" : "jobs");
  }
  return ok();
}

}  // namespace gaur::app
