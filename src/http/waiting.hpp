#pragma once
// What several handlers do with a job: tell why it waits, and turn the end of a wait into an answer.
#include <functional>

#include "http/render.hpp"
#include "http/service.hpp"

namespace gaur::http {

/// The function that a job asks for, as its queue is configured.
FunctionName function_of(const FunctionCatalog& catalog, const Job& job);

/// Calls `next` with position and reason of a job that waits or is delayed, and with nothing for all others.
void look_up_waiting(Service& service, const Job& job, std::function<void(std::optional<Waiting>)> next);

/// Answers an add that waited: 200 with the result, a problem if the job failed, 202 if it is not done. Each
/// says `duplicate` where `added` does.
void answer_waited(Service& service, const ExchangePtr& exchange, const Job& job, const Added& added);

/// Takes a place among those who wait; false: refused with 429, as too many wait already.
bool begin_wait(Service& service, const ExchangePtr& exchange);

}  // namespace gaur::http
