#include "app/look/gather.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

std::vector<KeptJob> kept_of(std::vector<bull::Inspector::Sample> samples) {
  std::vector<KeptJob> jobs;
  for (bull::Inspector::Sample& sample : samples)
    jobs.push_back({std::move(sample.job), sample.data_bytes, sample.result_bytes});
  return jobs;
}

Result<QueueFacts> queue_facts(bull::Inspector& inspector, const QueueName& queue, std::uint32_t samples) {
  QueueFacts facts;
  GAUR_TRY(facts.look, inspector.look(queue).get());
  GAUR_TRY(facts.set_aside, inspector.set_aside(queue).get());
  for (const State state : {State::kCompleted, State::kFailed}) {
    GAUR_TRY(std::vector<KeptJob> jobs, kept_jobs(inspector, queue, state, samples));
    std::ranges::move(jobs, std::back_inserter(facts.kept));
  }
  GAUR_TRY(std::vector<bull::Inspector::Sample> waiting, inspector.waiting(queue, samples).get());
  facts.waiting = kept_of(std::move(waiting));
  return facts;
}

}  // namespace

std::string human_prefixes(const bull::PrefixesFound& found) {
  constexpr std::size_t kShown = 50;
  std::string text =
      found.prefixes.empty() ? "this database has no Bull queue under any prefix" : "there are queues under ";
  for (std::size_t i = 0; i < std::min(kShown, found.prefixes.size()); ++i) {
    const auto& [prefix, queues] = found.prefixes[i];
    std::vector<std::string> names;
    for (const std::string& name : queues) names.push_back(json::quote(name));
    text += fmt::format("{}{} ({})", i > 0 ? ", " : "", json::quote(prefix), fmt::join(names, ", "));
  }
  if (found.prefixes.size() > kShown) text += fmt::format(" and {} more", found.prefixes.size() - kShown);
  if (!found.complete) text += "; the search reached its limit, so there may be more";
  return text;
}

Result<std::vector<KeptJob>> kept_jobs(bull::Inspector& inspector, const QueueName& queue, State state,
                                       std::uint32_t limit) {
  GAUR_TRY(std::vector<bull::Inspector::Sample> samples, inspector.kept(queue, state, limit).get());
  return kept_of(std::move(samples));
}

Result<LookFacts> gather_facts(redis::Client& client, const GatherOptions& options) {
  LookFacts facts;
  facts.url = options.url;
  facts.prefix = options.prefix;
  bull::InspectLimits limits;
  limits.samples = options.samples;
  bull::Inspector inspector(client, options.prefix, limits);
  GAUR_TRY(facts.server, inspector.server().get());
  if (auto hosts = connected_hosts(client, options.db, options.prefix)) facts.hosts = *std::move(hosts);
  GAUR_TRY(const bull::Inspector::Found found, inspector.queues().get());
  facts.every_queue = found.complete || !options.queues.empty();
  facts.unusable = found.unusable;
  if (found.queues.empty()) {
    GAUR_TRY(facts.prefixes, inspector.prefixes().get());
  }
  std::vector<QueueName> queues = found.queues;
  if (!options.queues.empty()) queues.clear();
  for (const std::string& name : options.queues) {
    if (std::ranges::find(found.queues, QueueName(name)) == found.queues.end() && found.complete) {
      std::string others = facts.prefixes ? human_prefixes(*facts.prefixes) : "there are ";
      for (std::size_t i = 0; i < std::min<std::size_t>(found.queues.size(), 20); ++i)
        others += (i > 0 ? ", " : "") + json::quote(found.queues[i].value);
      return Error{Errc::kNotFound, fmt::format("no queue {} under the prefix {}; {}", json::quote(name),
                                                json::quote(options.prefix), others)};
    }
    queues.emplace_back(name);
  }
  for (const QueueName& queue : queues) {
    auto one = queue_facts(inspector, queue, options.samples);
    if (one) {
      facts.queues.push_back(*std::move(one));
    } else if (one.error().code == Errc::kDisconnected || one.error().code == Errc::kTimeout) {
      return one.error();
    } else {
      facts.refused.push_back({queue, one.error()});
    }
  }
  return facts;
}

}  // namespace gaur::app
