#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "base/utf8.hpp"
#include "http/handlers.hpp"
#include "http/waiting.hpp"

namespace gaur::http {

namespace {

constexpr std::uint64_t kLongestList = 200;
constexpr std::uint64_t kDefaultList = 50;
constexpr Duration kKeepAlive{15'000};
constexpr Duration kLongestRequest{1'000};  // of events; see EventStream::request
constexpr std::uint32_t kEventsAtATime = 100;

/// Reads the counts of the queues one after the other.
struct QueueList : std::enable_shared_from_this<QueueList> {
  QueueList(Service& s, ExchangePtr e, std::vector<QueueName> n)
      : service(s), exchange(std::move(e)), names(std::move(n)) {}

  void next() {
    if (read.size() == names.size()) return answer();
    service.then(service.client().counts(names[read.size()]),
                 [self = shared_from_this()](Result<Counts> counts) {
                   if (!counts) return refuse(self->exchange, counts.error());
                   self->read.emplace_back(self->names[self->read.size()], *counts);
                   self->next();
                 });
  }
  void answer() const {
    answer_json(exchange, json::object([&](json::ObjectWriter& out) {
                  out.list("queues", read, [](std::string& text, const auto& queue) {
                    append_counts(text, queue.first, queue.second);
                  });
                }));
  }

  Service& service;
  ExchangePtr exchange;
  std::vector<QueueName> names;
  std::vector<std::pair<QueueName, Counts>> read;
};

std::optional<RangeRequest> range_of(const ExchangePtr& exchange, const QueueName& queue) {
  RangeRequest request;
  request.queue = queue;
  std::vector<std::string> problems;
  if (const std::string* text = query_value(*exchange, "state")) {
    if (const auto state = parse_state(*text)) {
      request.state = *state;
    } else {
      std::string known;
      for (const State each : kAllStates) known += (known.empty() ? "" : ", ") + std::string(to_string(each));
      problems.push_back(
          fmt::format("state: one of {} is expected, was {}", known, json::quote(utf8_prefix(*text, 40))));
    }
  }
  request.offset = whole_of(*exchange, "offset", {}, problems);
  request.limit = static_cast<std::uint32_t>(whole_of(
      *exchange, "limit", {.least = 1, .most = kLongestList, .default_value = kDefaultList}, problems));
  if (const std::string* text = query_value(*exchange, "order")) {
    request.newest_first = *text == "newest";
    if (*text != "newest" && *text != "oldest") problems.emplace_back("order: newest or oldest is expected");
  }
  if (problems.empty()) return request;
  refuse_all(exchange, std::move(problems));
  return std::nullopt;
}

/// The events of a queue as server-sent events, for as long as the client listens. Occupies one of the
/// server's waits.
class EventStream final : public BodyStream, public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(Service& service, Service::WaitTicket ticket, QueueName queue, std::string cursor)
      : service_(service), ticket_(std::move(ticket)), queue_(std::move(queue)), cursor_(std::move(cursor)) {}

  void read(std::function<void(std::optional<std::string>)> next) override {
    if (service_.stopping()) return next(std::nullopt);
    // The first piece is sent at once, so that the client sees that the stream works.
    request(std::exchange(first_, false) ? Duration{0} : kKeepAlive, std::move(next));
  }
  void disconnect() override { disconnected_ = true; }

 private:
  /// Requests events until there are some or `left` has passed. Requests are short, because the wait of a
  /// client that disconnected ends with its request.
  void request(Duration left, std::function<void(std::optional<std::string>)> next) {
    const Duration at_most = std::min(left, kLongestRequest);
    service_.then(service_.client().events(queue_, cursor_, kEventsAtATime, at_most),
                  [self = shared_from_this(), left = left - at_most, next](Result<EventPage> page) {
                    if (self->disconnected_) return;
                    if (!page || self->service_.stopping()) return next(std::nullopt);
                    self->cursor_ = page->cursor;
                    std::string text = page->gap ? "event: gap\ndata: {}\n\n" : "";
                    for (const Event& event : page->events) append_event(text, event);
                    if (text.empty() && left > Duration{0}) return self->request(left, next);
                    next(text.empty() ? ": nothing new\n\n" : std::move(text));
                  });
  }

  Service& service_;
  const Service::WaitTicket ticket_;
  const QueueName queue_;
  std::string cursor_;
  bool first_ = true;
  bool disconnected_ = false;
};

}  // namespace

void list_queues(Service& service, const ExchangePtr& exchange) {
  service.then(service.client().queues(), [&service, exchange](Result<std::vector<QueueName>> queues) {
    if (!queues) return refuse(exchange, queues.error());
    if (const auto& caller = exchange->caller)
      std::erase_if(*queues, [&](const QueueName& queue) { return !caller->may_use_queue(queue.value); });
    std::make_shared<QueueList>(service, exchange, *std::move(queues))->next();
  });
}

void get_queue(Service& service, const ExchangePtr& exchange) {
  const auto queue = queue_of(exchange);
  if (!queue) return;
  service.then(service.client().counts(*queue), [exchange, queue](Result<Counts> counts) {
    if (!counts) return refuse(exchange, counts.error());
    std::string body;
    append_counts(body, *queue, *counts);
    answer_json(exchange, std::move(body));
  });
}

void list_jobs(Service& service, const ExchangePtr& exchange) {
  const auto queue = queue_of(exchange);
  if (!queue) return;
  const auto request = range_of(exchange, *queue);
  if (!request) return;
  service.then(service.client().range(*request), [exchange, request](Result<std::vector<Job>> jobs) {
    if (!jobs) return refuse(exchange, jobs.error());
    JobParts view;
    view.base = exchange->base;
    view.data = false;
    view.result = false;
    answer_json(exchange, json::object([&](json::ObjectWriter& out) {
                  out.text("state", to_string(request->state));
                  out.number("offset", request->offset).number("limit", request->limit);
                  out.list("jobs", *jobs,
                           [&](std::string& text, const Job& job) { append_job(text, job, view); });
                }));
  });
}

void follow_events(Service& service, const ExchangePtr& exchange) {
  const auto queue = queue_of(exchange);
  if (!queue) return;
  const std::string* last = exchange->request.header("last-event-id");
  const std::string* asked = query_value(*exchange, "cursor");
  const std::string cursor = asked != nullptr ? *asked : last != nullptr ? *last : "$";
  Response response;
  response.content_type = "text/event-stream";
  response.headers.push_back({"X-Accel-Buffering", "no"});  // nginx forwards each event at once
  if (exchange->request.method == "HEAD") return exchange->reply(std::move(response));
  if (!begin_wait(service, exchange)) return;
  const auto follow = [&service, exchange, queue = *queue, response](std::string from) {
    Response events = response;
    events.stream = std::make_shared<EventStream>(service, exchange->wait_ticket, queue, std::move(from));
    exchange->reply(std::move(events));
  };
  // Read before the head is sent, so that a client with the head misses no later event. With a cursor, it
  // only checks that the queue is known.
  service.then(service.client().cursor(*queue), [exchange, follow, cursor](Result<std::string> now) {
    if (!now) return refuse(exchange, now.error());
    follow(cursor == "$" ? *std::move(now) : cursor);
  });
}

}  // namespace gaur::http
