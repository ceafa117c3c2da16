#include "app/look/gather.hpp"

#include <fmt/format.h>

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
  for (const State state : {State::kCompleted, State::kFailed}) {
    GAUR_TRY(std::vector<KeptJob> jobs, kept_jobs(inspector, queue, state, samples));
    std::ranges::move(jobs, std::back_inserter(facts.kept));
  }
  GAUR_TRY(std::vector<bull::Inspector::Sample> waiting, inspector.waiting(queue, samples).get());
  facts.waiting = kept_of(std::move(waiting));
  return facts;
}

}  // namespace

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
  GAUR_TRY(const bull::Inspector::Found found, inspector.queues().get());
  facts.every_queue = found.complete || !options.queues.empty();
  std::vector<QueueName> queues = found.queues;
  if (!options.queues.empty()) queues.clear();
  for (const std::string& name : options.queues) {
    if (std::ranges::find(found.queues, QueueName(name)) == found.queues.end() && found.complete) {
      return Error{Errc::kNotFound,
                   fmt::format("no queue \"{}\" under the prefix \"{}\"", name, options.prefix)};
    }
    queues.emplace_back(name);
  }
  for (const QueueName& queue : queues) {
    GAUR_TRY(QueueFacts one, queue_facts(inspector, queue, options.samples));
    facts.queues.push_back(std::move(one));
  }
  return facts;
}

}  // namespace gaur::app
