#pragma once
// Shared by several handlers: the reason why a job waits, and the response at the end of a wait.
#include <functional>

#include "http/render.hpp"
#include "http/service.hpp"

namespace gaur::http {

/// Calls `next` with position and reason of a job that waits or is delayed, and with nothing for all others.
void look_up_waiting(Service& service, const Job& job, std::function<void(std::optional<Waiting>)> next);

/// Answers an add that waited: 200 with the result, a problem if the job failed, 202 if it is not done. Each
/// has `duplicate` if `added` has it.
void answer_waited(Service& service, const ExchangePtr& exchange, const Job& job, const Added& added);

/// Occupies one of the allowed waits; false: all are in use.
bool try_begin_wait(Service& service, const ExchangePtr& exchange);
/// The same; false: rejected with 429, because too many requests wait.
bool begin_wait(Service& service, const ExchangePtr& exchange);

/// Calls `next` with the job of the path once it has finished or the request's `wait` is over; answers all
/// errors itself.
void with_waited_job(Service& service, const ExchangePtr& exchange, std::function<void(Job)> next);

}  // namespace gaur::http
