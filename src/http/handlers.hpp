#pragma once
// The handlers in the table of routes.cpp.
#include "http/router.hpp"

namespace gaur::http {

// handlers_add.cpp
void add_jobs(Service& service, const ExchangePtr& exchange);
void call_function(Service& service, const ExchangePtr& exchange);
// handlers_job.cpp
void get_job(Service& service, const ExchangePtr& exchange);
void get_logs(Service& service, const ExchangePtr& exchange);
void cancel_job(Service& service, const ExchangePtr& exchange);
void retry_job(Service& service, const ExchangePtr& exchange);
void promote_job(Service& service, const ExchangePtr& exchange);
void remove_job(Service& service, const ExchangePtr& exchange);
// handlers_result.cpp
void get_result(Service& service, const ExchangePtr& exchange);
void get_signed_file(Service& service, const ExchangePtr& exchange);
// handlers_queue.cpp
void list_queues(Service& service, const ExchangePtr& exchange);
void get_queue(Service& service, const ExchangePtr& exchange);
void list_jobs(Service& service, const ExchangePtr& exchange);
void pause_queue(Service& service, const ExchangePtr& exchange);
void resume_queue(Service& service, const ExchangePtr& exchange);
void follow_events(Service& service, const ExchangePtr& exchange);
// handlers_host.cpp
void list_functions(Service& service, const ExchangePtr& exchange);
void get_host(Service& service, const ExchangePtr& exchange);
void quiet_host(Service& service, const ExchangePtr& exchange);
void resume_host(Service& service, const ExchangePtr& exchange);
void leave_host(Service& service, const ExchangePtr& exchange);
void get_health(Service& service, const ExchangePtr& exchange);
void get_readiness(Service& service, const ExchangePtr& exchange);
void get_metrics(Service& service, const ExchangePtr& exchange);

}  // namespace gaur::http
