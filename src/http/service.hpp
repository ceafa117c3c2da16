#pragma once
// The API above the sockets: checks a request, finds its route, runs its handler. Handlers are in
// handlers_*.cpp. Thread-safety: confined to the executor given at construction; replies may come on any
// thread.
#include <atomic>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "base/env.hpp"
#include "http/audit.hpp"
#include "http/guard.hpp"
#include "http/message.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace gaur::http {

class Service {
 public:
  /// `executor` runs the handlers' continuations on the thread that calls handle(). Shared, because answers
  /// of the store may arrive after this object is destroyed: the executor must then drop posted tasks.
  Service(const ServerOptions& options, ServerParts parts, std::shared_ptr<Executor> executor);

  /// Checks a request by its head: token or host, origin, path, method, query. Runs before any byte of the
  /// body is kept, so that unauthorized clients use no memory. The error is the answer.
  tl::expected<ExchangePtr, Response> open(Request head);
  /// Checks the body, which is in `exchange->request`, and runs the handler.
  void handle(const ExchangePtr& exchange, Reply reply);
  /// Replaces the tokens.
  void set_tokens(std::vector<TokenGrant> tokens);
  /// From now on /readyz responds with 503 and waits end at once.
  void begin_stop() { stopping_ = true; }

  // ---- for handlers ---------------------------------------------------------------------------
  Client& client() { return parts_.client; }
  const ServerParts& parts() const { return parts_; }
  const HttpLimits& limits() const { return options_.limits; }
  /// Whether the caller may add jobs of this function; if not, rejects the request (403). `queue`: nullptr if
  /// the function is unknown; a caller that is limited to some queues or functions must not learn the names
  /// of all.
  bool check_call(const ExchangePtr& exchange, const QueueName* queue, const FunctionName& function);
  bool stopping() const { return stopping_; }
  /// A slot for a waiting request, occupied until the last copy is destroyed; nullptr if all are in use.
  using WaitTicket = std::shared_ptr<const void>;
  WaitTicket begin_wait();
  /// Slots in use.
  std::uint32_t waits() const { return *waits_; }

  /// Runs `next` with the value of `future`, on this service's thread.
  template <class T, class Callback>
  void then(Future<T> future, Callback next) {
    // Shared: a std::function must be copyable, and the value may be large.
    std::move(future).then([executor = executor_, next = std::move(next)](T value) {
      auto held = std::make_shared<T>(std::move(value));
      executor->post([next, held] { next(std::move(*held)); });
    });
  }

 private:
  Response reject(const Request& head, const TokenGrant* caller, const Problem& problem);

  const ServerOptions options_;
  ServerParts parts_;
  std::shared_ptr<Executor> executor_;
  Guard guard_;
  AuditLog audit_;
  std::atomic<bool> stopping_{false};
  // Shared with the tickets, which may be dropped late and on any thread.
  std::shared_ptr<std::atomic<std::uint32_t>> waits_ = std::make_shared<std::atomic<std::uint32_t>>(0);
};

// ---- helpers that all handlers use ---------------------------------------------------------------

void refuse(const ExchangePtr& exchange, const Problem& problem);
void refuse(const ExchangePtr& exchange, const Error& error);
void answer_json(const ExchangePtr& exchange, std::string body, unsigned status = 200);
/// The value of a query parameter, or nullptr.
const std::string* query_value(const Exchange& exchange, std::string_view name);
/// The queue of the path; if it is not a queue name, rejects the request and returns nothing.
std::optional<QueueName> queue_of(const ExchangePtr& exchange);
/// The job of the path. Rejects the request and returns nothing if the path has no valid job id.
std::optional<JobRef> job_of(const ExchangePtr& exchange);
/// ?wait=, or 0 if it is absent. Nothing if it is invalid; the request is then rejected.
std::optional<Duration> wait_of(Service& service, const ExchangePtr& exchange);
/// The same, but appends a problem so that others are reported with it; the value is then invalid.
Duration wait_of(Service& service, const Exchange& exchange, std::vector<std::string>& problems);

struct WholeRange {
  std::uint64_t least = 0;
  std::uint64_t most = 999'999'999'999'999'999;
  std::uint64_t default_value = 0;
};
/// A whole number of the query; appends a problem if it is out of range.
std::uint64_t whole_of(const Exchange& exchange, std::string_view name, const WholeRange& range,
                       std::vector<std::string>& problems);
/// Rejects with 400 and every problem.
void refuse_all(const ExchangePtr& exchange, std::vector<std::string> problems);

}  // namespace gaur::http
