#include "http/service.hpp"

#include <fmt/format.h>

#include "base/duration_text.hpp"
#include "base/item_list.hpp"
#include "base/json.hpp"
#include "base/number_rule.hpp"
#include "base/utf8.hpp"
#include "http/forwarded.hpp"

namespace gaur::http {

namespace {

TokenTable table_of(std::vector<TokenGrant> tokens) {
  TokenTable table;
  for (TokenGrant& token : tokens) table.push_back(std::make_shared<const TokenGrant>(std::move(token)));
  return table;
}

Guard::Options guard_options(const ServerOptions& options) {
  Guard::Options out;
  out.tokens = table_of(options.tokens);
  for (const std::string& host : options.hosts) out.hosts.push_back(host_name(host).value_or(lower(host)));
  out.client_certificates = !options.tls.client_ca.empty();
  out.wrong_tokens = options.limits.wrong_tokens;
  return out;
}

/// Every name of the query must be a parameter of the route and occur once.
std::vector<std::string> problems_of_query(const Target& target, const Route& route) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < target.query.size(); ++i) {
    const std::string& name = target.query[i].first;
    if (!has_item(route.query, " ", name)) {
      problems.push_back(fmt::format("{}: unknown parameter; known are: {}",
                                     json::quote(utf8_prefix(name, 80)),
                                     route.query.empty() ? "none" : route.query));
    }
    const auto same = [&](const auto& other) { return other.first == name; };
    if (std::any_of(target.query.begin(), target.query.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      problems.push_back(fmt::format("{}: given twice", utf8_prefix(name, 80)));
    }
  }
  return problems;
}

/// Every mistake of the request to `target` in one document.
Problem problem_of_all(std::vector<std::string> problems, std::string_view target) {
  Problem problem = problem_of(
      {Errc::kInvalidArgument,
       problems.size() == 1 ? problems.front() : fmt::format("{} problems; see `problems`", problems.size())},
      std::string(target.substr(0, target.find('?'))));
  problem.problems = std::move(problems);
  return problem;
}

}  // namespace

Service::Service(const ServerOptions& options, ServerParts parts, std::shared_ptr<Executor> executor)
    : options_(options),
      parts_(std::move(parts)),
      executor_(std::move(executor)),
      guard_(guard_options(options), parts_.clock),
      audit_(options.log, parts_.clock) {}

void Service::set_tokens(std::vector<TokenGrant> tokens) {
  guard_.set_tokens(table_of(std::move(tokens)));
}

namespace {

AuditLog::Entry audit_entry(const Request& request, const TokenGrant* caller, unsigned status) {
  return {.token = caller == nullptr ? "-" : caller->name,
          .remote = request.remote,
          .method = request.method,
          .path = request.target.substr(0, request.target.find('?')),
          .status = status};
}

}  // namespace

Response Service::reject(const Request& head, const TokenGrant* caller, const Problem& problem) {
  audit_.rejected(audit_entry(head, caller, problem.status), problem.code);
  return to_response(problem);
}

bool Service::check_call(const ExchangePtr& exchange, const QueueName* queue, const FunctionName& function) {
  if (!exchange->caller) return true;
  const TokenGrant& caller = *exchange->caller;
  const FunctionInfo* info = client().functions().find(function);
  const Right right = info != nullptr && info->ad_hoc ? Right::kAdHoc : Right::kCall;
  std::string why;
  if (queue != nullptr && !caller.has(right)) {
    why = fmt::format("lacks the right {}, which the function {} needs", to_string(right),
                      json::quote(utf8_prefix(function.value, 140)));
  } else if (queue != nullptr && !caller.may_use_queue(queue->value)) {
    why = fmt::format("is not for the queue {}", json::quote(queue->value));
  } else if (!caller.may_use_function(function.value) || (queue == nullptr && !caller.queues.empty())) {
    why = fmt::format("is not for the function {}", json::quote(utf8_prefix(function.value, 140)));
  } else {
    return true;
  }
  exchange->reply(
      reject(exchange->request, &caller,
             make_problem(403, "permission", fmt::format("the token {} {}", json::quote(caller.name), why))));
  return false;
}

tl::expected<ExchangePtr, Response> Service::open(Request head) {
  head.remote = client_address(head, options_.trusted_proxies);
  auto target = parse_target(without_base(head.target, options_.base_path));
  Match match;
  if (target) match = find_route(routes(), head.method, target->segments);
  const auto caller = guard_.check_head(head, match.route != nullptr ? match.route->right : Right::kView);
  if (!caller) return tl::unexpected(reject(head, nullptr, caller.error()));
  if (!target) return tl::unexpected(to_response(problem_of(target.error())));
  if (match.route == nullptr && match.allow.empty()) {
    return tl::unexpected(to_response(
        make_problem(404, "not_found", "nothing is here; docs/reference/http-api.md lists what there is")));
  }
  if (match.route == nullptr) {
    Response response =
        to_response(make_problem(405, "method_not_allowed", "this path takes " + match.allow));
    response.headers.push_back({"Allow", match.allow});
    return tl::unexpected(std::move(response));
  }
  if (*caller) {
    if (const auto problem = Guard::check_rights(**caller, *match.route, match.params))
      return tl::unexpected(reject(head, caller->get(), *problem));
  }
  if (auto problems = problems_of_query(*target, *match.route); !problems.empty()) {
    return tl::unexpected(to_response(problem_of_all(std::move(problems), head.target)));
  }
  auto exchange = std::make_shared<Exchange>();
  exchange->request = std::move(head);
  exchange->route = match.route;
  exchange->caller = *caller;
  exchange->base = options_.base_path;
  exchange->params = std::move(match.params);
  exchange->query = std::move(target->query);
  return exchange;
}

void Service::handle(const ExchangePtr& exchange, Reply reply) {
  exchange->reply = std::move(reply);
  const Right right = exchange->route->right;
  if (right == Right::kOperate || right == Right::kAdmin || right == Right::kOpen) {
    const auto reply_to_client = std::move(exchange->reply);
    exchange->reply = [this, right, entry = audit_entry(exchange->request, exchange->caller.get(), 0),
                       reply_to_client](Response response) mutable {
      entry.status = response.status;
      if (right != Right::kOpen) {
        audit_.operated(entry);
      } else if (response.status == 403) {  // a link with a wrong signature
        audit_.rejected(entry, "permission");
      }
      reply_to_client(std::move(response));
    };
  }
  const bool open = right == Right::kOpen;
  const auto problem = open ? std::nullopt : Guard::check_body(exchange->request);
  if (problem) return exchange->reply(to_response(*problem));
  exchange->route->handler(*this, exchange);
}

Service::WaitTicket Service::begin_wait() {
  if (waits_->fetch_add(1) >= options_.limits.waits) {
    waits_->fetch_sub(1);
    return nullptr;
  }
  return {waits_.get(), [waits = waits_](const void*) { waits->fetch_sub(1); }};
}

void refuse(const ExchangePtr& exchange, const Problem& problem) {
  exchange->reply(to_response(problem));
}

void refuse(const ExchangePtr& exchange, const Error& error) {
  const std::string_view target = exchange->request.target;
  refuse(exchange, problem_of(error, std::string(target.substr(0, target.find('?')))));
}

void answer_json(const ExchangePtr& exchange, std::string body, unsigned status) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  exchange->reply(std::move(response));
}

const std::string* query_value(const Exchange& exchange, std::string_view name) {
  for (const auto& [key, value] : exchange.query) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<QueueName> queue_of(const ExchangePtr& exchange) {
  const std::string& name = exchange->params.front();
  if (const Status valid = validate_queue_name(name); !valid) {
    refuse(exchange, problem_of(valid.error()));
    return std::nullopt;
  }
  return QueueName(name);
}

std::optional<JobRef> job_of(const ExchangePtr& exchange) {
  auto queue = queue_of(exchange);
  if (!queue) return std::nullopt;
  const std::string& id = exchange->params[1];
  const bool control =
      std::any_of(id.begin(), id.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (id.size() > Limits{}.id_bytes || control || !json::is_utf8(id)) {
    refuse(exchange,
           problem_of({Errc::kInvalidArgument,
                       fmt::format("job id: 1 to {} bytes of UTF-8 without control characters, was {}",
                                   Limits{}.id_bytes, json::quote(utf8_prefix(id, 140)))}));
    return std::nullopt;
  }
  return JobRef{*std::move(queue), JobId(id)};
}

Duration wait_of(Service& service, const Exchange& exchange, std::vector<std::string>& problems) {
  const std::string* text = query_value(exchange, "wait");
  if (text == nullptr) return Duration{0};
  const auto wait = parse_duration(*text, BareNumber::kMilliseconds);
  if (!wait) {
    problems.push_back("wait: " + wait.error().message);
    return Duration{0};
  }
  const Duration longest = service.limits().longest_wait;
  if (*wait > longest) {
    problems.push_back(fmt::format(
        "wait: at most {} ms, was {} ms; after that ask for the job with another ?wait=", longest.count(),
        wait->count()));
  }
  return *wait;
}

std::optional<Duration> wait_of(Service& service, const ExchangePtr& exchange) {
  std::vector<std::string> problems;
  const Duration wait = wait_of(service, *exchange, problems);
  if (problems.empty()) return wait;
  refuse_all(exchange, std::move(problems));
  return std::nullopt;
}

std::uint64_t whole_of(const Exchange& exchange, std::string_view name, const WholeRange& range,
                       std::vector<std::string>& problems) {
  const std::string* text = query_value(exchange, name);
  if (text == nullptr) return range.default_value;
  const auto value = parse_number(*text);
  if (value && *value >= range.least && *value <= range.most) return *value;
  problems.push_back(
      fmt::format("{}: {}", name, whole_number_rule(range.least, range.most, json::quote(*text))));
  return range.default_value;
}

void refuse_all(const ExchangePtr& exchange, std::vector<std::string> problems) {
  refuse(exchange, problem_of_all(std::move(problems), exchange->request.target));
}

}  // namespace gaur::http
