// The table of routes. docs/reference/http-api.md has a section for each row; a test compares the two.
#include "http/handlers.hpp"

namespace gaur::http {

namespace {

constexpr Route kRoutes[] = {
    {"POST", "/v1/functions/{name}", "wait priority delay attempts timeout queue_timeout id", Right::kCall,
     call_function},
    {"GET", "/v1/functions", "", Right::kView, list_functions},
    {"POST", "/v1/queues/{queue}/jobs", "wait", Right::kCall, add_jobs},
    {"GET", "/v1/queues/{queue}/jobs", "state offset limit order", Right::kView, list_jobs},
    {"GET", "/v1/queues/{queue}/jobs/{id}", "wait", Right::kView, get_job},
    {"GET", "/v1/queues/{queue}/jobs/{id}/result", "wait", Right::kView, get_result},
    {"GET", "/v1/queues/{queue}/jobs/{id}/logs", "offset limit", Right::kView, get_logs},
    {"POST", "/v1/queues/{queue}/jobs/{id}/cancel", "", Right::kOperate, cancel_job},
    {"POST", "/v1/queues/{queue}/jobs/{id}/retry", "reset_attempts", Right::kOperate, retry_job},
    {"POST", "/v1/queues/{queue}/jobs/{id}/promote", "", Right::kOperate, promote_job},
    {"DELETE", "/v1/queues/{queue}/jobs/{id}", "", Right::kOperate, remove_job},
    {"GET", "/v1/queues", "", Right::kView, list_queues},
    {"GET", "/v1/queues/{queue}", "", Right::kView, get_queue},
    {"POST", "/v1/queues/{queue}/pause", "", Right::kOperate, pause_queue},
    {"POST", "/v1/queues/{queue}/resume", "", Right::kOperate, resume_queue},
    {"GET", "/v1/queues/{queue}/events", "cursor", Right::kView, follow_events},
    {"GET", "/v1/files/{queue}/{id}", "expires signature", Right::kOpen, get_signed_file},
    {"GET", "/v1/host", "", Right::kView, get_host},
    {"POST", "/v1/host/quiet", "", Right::kAdmin, quiet_host},
    {"POST", "/v1/host/resume", "", Right::kAdmin, resume_host},
    {"POST", "/v1/host/leave", "patience", Right::kAdmin, leave_host},
    {"GET", "/healthz", "", Right::kOpen, get_health},
    {"GET", "/readyz", "", Right::kView, get_readiness},
    {"GET", "/metrics", "", Right::kView, get_metrics},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace gaur::http
