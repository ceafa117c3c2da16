#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "http/handlers.hpp"
#include "http/waiting.hpp"

namespace gaur::http {

namespace {

void answer_done(const ExchangePtr& exchange, const Status& status) {
  if (!status) return refuse(exchange, status.error());
  Response response;
  response.status = 204;
  response.content_type.clear();
  exchange->reply(std::move(response));
}

void answer_job(Service& service, const ExchangePtr& exchange, Job job) {
  const auto held = std::make_shared<const Job>(std::move(job));  // shared with the callback of the look-up
  look_up_waiting(service, *held, [exchange, held](std::optional<Waiting> waiting) {
    JobParts view;
    view.base = exchange->base;
    view.waiting = waiting ? &*waiting : nullptr;
    std::string body;
    append_job(body, *held, view);
    answer_json(exchange, std::move(body));
  });
}

}  // namespace

void get_job(Service& service, const ExchangePtr& exchange) {
  with_waited_job(service, exchange,
                  [&service, exchange](Job job) { answer_job(service, exchange, std::move(job)); });
}

void get_logs(Service& service, const ExchangePtr& exchange) {
  const auto job = job_of(exchange);
  if (!job) return;
  std::vector<std::string> problems;
  const std::uint64_t offset = whole_of(*exchange, "offset", {}, problems);
  const std::uint64_t limit =
      whole_of(*exchange, "limit", {.least = 1, .most = 1'000, .default_value = 100}, problems);
  if (!problems.empty()) return refuse_all(exchange, std::move(problems));
  service.then(service.client().logs(*job, offset, static_cast<std::uint32_t>(limit)),
               [exchange, offset](Result<LogPage> page) {
                 if (!page) return refuse(exchange, page.error());
                 answer_json(exchange, json::object([&](json::ObjectWriter& out) {
                               out.number("total", page->total).number("offset", offset);
                               out.list("lines", page->lines, json::append_quoted);
                             }));
               });
}

void cancel_job(Service& service, const ExchangePtr& exchange) {
  const auto job = job_of(exchange);
  if (!job) return;
  std::string who = "http client at " + exchange->request.remote;
  std::string why;
  if (!exchange->request.body.empty()) {
    const auto body = json::parse_object(exchange->request.body);
    if (!body) return refuse(exchange, body.error().in("body"));
    who = json::text_or(*body, "who", who);
    why = json::text_or(*body, "why", "");
    cut_utf8(who, 256);
    cut_utf8(why, 1'024);
  }
  service.then(service.client().cancel(*job, who, why), [exchange](Result<CancelReply> reply) {
    if (!reply) return refuse(exchange, reply.error());
    const unsigned status = *reply == CancelReply::kRequested || *reply == CancelReply::kForeign ? 202 : 200;
    answer_json(exchange,
                json::object([&](json::ObjectWriter& out) { out.text("cancel", to_string(*reply)); }),
                status);
  });
}

void retry_job(Service& service, const ExchangePtr& exchange) {
  const auto job = job_of(exchange);
  if (!job) return;
  const std::string* reset = query_value(*exchange, "reset_attempts");
  if (reset != nullptr && *reset != "true" && *reset != "false") {
    return refuse(exchange, Error{Errc::kInvalidArgument, "reset_attempts: true or false is expected"});
  }
  service.then(service.client().retry(*job, reset != nullptr && *reset == "true"),
               [exchange](const Status& status) { answer_done(exchange, status); });
}

namespace {

/// Answers with the result of `verb` on the job or queue of the path.
template <class Target>
void change(Service& service, const ExchangePtr& exchange, const std::optional<Target>& target,
            Async<Unit> (Client::*verb)(Target)) {
  if (!target) return;
  service.then((service.client().*verb)(*target),
               [exchange](const Status& status) { answer_done(exchange, status); });
}

}  // namespace

void promote_job(Service& service, const ExchangePtr& exchange) {
  change(service, exchange, job_of(exchange), &Client::promote);
}

void remove_job(Service& service, const ExchangePtr& exchange) {
  change(service, exchange, job_of(exchange), &Client::remove);
}

void pause_queue(Service& service, const ExchangePtr& exchange) {
  change(service, exchange, queue_of(exchange), &Client::pause);
}

void resume_queue(Service& service, const ExchangePtr& exchange) {
  change(service, exchange, queue_of(exchange), &Client::resume);
}

}  // namespace gaur::http
