#include "http/paths.hpp"

#include <fmt/format.h>

#include "base/name_text.hpp"

namespace gaur::http {

std::string job_path(const JobRef& job, std::string_view base) {
  return fmt::format("{}/v1/queues/{}/jobs/{}", base, percent_encode(job.queue.value),
                     percent_encode(job.id.value));
}

std::string result_path(const JobRef& job, std::string_view base) {
  return job_path(job, base) + "/result";
}

std::string signed_file_path(const JobRef& job, std::int64_t expires_ms, std::string_view signature) {
  return fmt::format("/v1/files/{}/{}?expires={}&signature={}", percent_encode(job.queue.value),
                     percent_encode(job.id.value), expires_ms, signature);
}

std::string leave_path(Duration patience) {
  return fmt::format("{}/leave?patience={}ms", kHostPath, patience.count());
}

}  // namespace gaur::http
