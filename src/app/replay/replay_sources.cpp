#include "app/replay/replay_sources.hpp"

#include <fmt/format.h>

#include "app/host/redis_access.hpp"
#include "base/try.hpp"

namespace gaur::app {

bool print_problems_of(const Settings& settings, std::string_view command) {
  std::vector<Problem> problems = settings.problems();
  sort(problems);
  for (const Problem& problem : problems) fmt::print(stderr, "gaur {}: {}\n", command, to_string(problem));
  return problems.empty();
}

Result<std::vector<KeptJob>> completed_jobs(const Loaded& loaded, const std::vector<std::string>& queues,
                                            std::uint32_t last) {
  if (!loaded.config.redis)
    return Error{Errc::kUnsupported, "kept jobs are read from Redis: set store.url, --store.url or --env"};
  std::vector<std::string> wanted = queues;
  for (const auto& [name, queue] : loaded.config.queues) {
    if (queues.empty()) wanted.push_back(name);
  }
  GAUR_TRY(auto access, RedisAccess::open(loaded.settings, *loaded.config.redis));
  bull::InspectLimits limits;
  limits.samples = std::max(limits.samples, last);
  bull::Inspector inspector(access->client(), access->prefix(), limits);
  std::vector<KeptJob> jobs;
  for (const std::string& name : wanted) {
    GAUR_TRY(std::vector<KeptJob> found, kept_jobs(inspector, QueueName(name), State::kCompleted, last));
    std::ranges::move(found, std::back_inserter(jobs));
  }
  return jobs;
}

}  // namespace gaur::app
