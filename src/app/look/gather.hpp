#pragma once
// The reading behind `gaur look`: asks an Inspector for everything and waits for the answers.
#include "app/look/facts.hpp"
#include "redis/client.hpp"

namespace gaur::app {

struct GatherOptions {
  std::string url;  ///< as shown
  std::string prefix;
  std::uint32_t db = 0;
  std::vector<std::string> queues{};  ///< only these; empty: all that are found
  std::uint32_t samples = 1'000;      ///< kept jobs read of each queue and state
};

/// Reads only. Blocks; never on the client's own loop. Errors: those of the client; kNotFound for a named
/// queue of which there is nothing.
Result<LookFacts> gather_facts(redis::Client& client, const GatherOptions& options);

/// "there are queues under "bull" ("mail", "rank")", or that there is none.
std::string human_prefixes(const bull::PrefixesFound& found);

/// The newest finished jobs of one queue, completed and failed.
Result<std::vector<KeptJob>> kept_jobs(bull::Inspector& inspector, const QueueName& queue, State state,
                                       std::uint32_t limit);

}  // namespace gaur::app
