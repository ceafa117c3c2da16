#pragma once
// The paths of the HTTP API that other parts of Gaur write into results, links and requests. Each contains
// `base`, the part of the path that a proxy adds (server.base_path). Thread-safety: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "gaur/queue.hpp"

namespace gaur::http {

/// "/v1/queues/{queue}/jobs/{id}", percent-encoded.
std::string job_path(const JobRef& job, std::string_view base = {});
/// "/v1/queues/{queue}/jobs/{id}/result": the result, or the result file.
std::string result_path(const JobRef& job, std::string_view base = {});
/// "/v1/files/{queue}/{id}?expires=...&signature=...": the result file, without a token.
std::string signed_file_path(const JobRef& job, std::int64_t expires_ms, std::string_view signature);

inline constexpr std::string_view kHostPath = "/v1/host";
inline constexpr std::string_view kQuietPath = "/v1/host/quiet";
inline constexpr std::string_view kResumePath = "/v1/host/resume";
std::string leave_path(Duration patience);

}  // namespace gaur::http
