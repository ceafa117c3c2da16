// The table of routes. docs/reference/http-api.md has a section for each row; a test compares the two.
#include "http/handlers.hpp"

namespace gaur::http {

namespace {

constexpr Route kRoutes[] = {
    {"POST", "/v1/functions/{name}", "wait priority delay attempts timeout queue_timeout id", Access::kWrite,
     call_function},
    {"GET", "/v1/functions", "", Access::kRead, list_functions},
    {"POST", "/v1/queues/{queue}/jobs", "wait", Access::kWrite, add_jobs},
    {"GET", "/v1/queues/{queue}/jobs", "state offset limit order", Access::kRead, list_jobs},
    {"GET", "/v1/queues/{queue}/jobs/{id}", "wait", Access::kRead, get_job},
    {"GET", "/v1/queues/{queue}/jobs/{id}/result", "wait", Access::kRead, get_result},
    {"GET", "/v1/queues/{queue}/jobs/{id}/logs", "offset limit", Access::kRead, get_logs},
    {"POST", "/v1/queues/{queue}/jobs/{id}/cancel", "", Access::kWrite, cancel_job},
    {"POST", "/v1/queues/{queue}/jobs/{id}/retry", "reset_attempts", Access::kWrite, retry_job},
    {"POST", "/v1/queues/{queue}/jobs/{id}/promote", "", Access::kWrite, promote_job},
    {"DELETE", "/v1/queues/{queue}/jobs/{id}", "", Access::kWrite, remove_job},
    {"GET", "/v1/queues", "", Access::kRead, list_queues},
    {"GET", "/v1/queues/{queue}", "", Access::kRead, get_queue},
    {"POST", "/v1/queues/{queue}/pause", "", Access::kWrite, pause_queue},
    {"POST", "/v1/queues/{queue}/resume", "", Access::kWrite, resume_queue},
    {"GET", "/v1/queues/{queue}/events", "cursor", Access::kRead, follow_events},
    {"GET", "/v1/files/{queue}/{id}", "expires signature", Access::kOpen, get_signed_file},
    {"GET", "/v1/host", "", Access::kRead, get_host},
    {"POST", "/v1/host/quiet", "", Access::kWrite, quiet_host},
    {"POST", "/v1/host/resume", "", Access::kWrite, resume_host},
    {"POST", "/v1/host/leave", "patience", Access::kWrite, leave_host},
    {"GET", "/healthz", "", Access::kOpen, get_health},
    {"GET", "/readyz", "", Access::kRead, get_readiness},
    {"GET", "/metrics", "", Access::kRead, get_metrics},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace gaur::http
