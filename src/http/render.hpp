#pragma once
// The JSON of the API's responses. Data, results and progress are copied byte for byte as they were stored.
// Pure.
#include <optional>
#include <string>
#include <string_view>

#include "gaur/functions.hpp"
#include "gaur/host.hpp"
#include "gaur/queue.hpp"

namespace gaur::http {

/// The reason and position of a waiting job.
struct Waiting {
  std::optional<Position> position;
  std::optional<std::string> reason;
};

struct JobParts {
  /// With data and options.
  bool data = true;
  /// With result, progress and stack traces.
  bool result = true;
  const Waiting* waiting = nullptr;
  /// The base path of the API for clients.
  std::string_view base = {};
  /// The receipt of an add, which supplies `duplicate` and `differs`.
  const Added* added = nullptr;
};

void append_failure(std::string& out, const Failure& failure);
void append_usage(std::string& out, const Usage& usage);
void append_job(std::string& out, const Job& job, const JobParts& view);
void append_added(std::string& out, const QueueName& queue, const Added& added, std::string_view base);
void append_counts(std::string& out, const QueueName& queue, const Counts& counts);
void append_function(std::string& out, const FunctionInfo& function);
std::string render_host(const HostStatus& host);
/// One server-sent event: id, event, data.
void append_event(std::string& out, const Event& event);

}  // namespace gaur::http
