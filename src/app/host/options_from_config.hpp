#pragma once
// Converts the configuration to the options of each part. Thread-safety: pure.
#include <memory>
#include <set>
#include <string>

#include "admission/ledger.hpp"
#include "api/client_factory.hpp"
#include "app/config/config.hpp"
#include "gaur/functions.hpp"
#include "http/server.hpp"
#include "runner/pools.hpp"
#include "worker/worker.hpp"

namespace gaur::app {

LedgerOptions ledger_options(const Config& config);
/// `started`: when the host started; the age of orphans is measured from it.
WorkerOptions worker_options(const Config& config, Time started);
/// Writes the spec of each duckdb pool to `<data>/spec/<pool>.json`. Errors: kIo.
Result<PoolsOptions> pools_options(const Settings& settings, const Config& config);
std::set<QueueName> configured_queues(const Config& config);
ClientOptions client_options(const Config& config);
ServerOptions server_options(const Config& config, const Logger& log);

/// "https://127.0.0.1:8378": where the HTTP API of this configuration listens.
std::string listening_url(const Config& config, std::uint16_t port);

/// Like gaur::write_file(), but a failed call also removes the folders that it created. Errors: kIo.
Status write_file(const std::filesystem::path& file, std::string_view text, mode_t mode = 0640);

}  // namespace gaur::app
