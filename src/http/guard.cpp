#include "http/guard.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/utf8.hpp"
#include "http/values.hpp"

namespace gaur::http {

namespace {

constexpr std::size_t kMostAddresses = 10'000;
constexpr std::chrono::seconds kWindow{60};

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

}  // namespace

std::optional<std::string> host_name(std::string_view header) {
  const bool bracket = header.starts_with('[');
  const std::size_t end = bracket ? header.find(']') : header.find(':');
  if (bracket && end == std::string_view::npos) return std::nullopt;
  const std::string name = lower(bracket ? header.substr(1, end - 1) : header.substr(0, end));
  std::string_view port = header.substr(std::min(header.size(), bracket ? end + 1 : end));
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto number = parse_number(port);
    const bool colon = header[header.size() - port.size() - 1] == ':';
    if (!colon || !number || *number > 65'535) return std::nullopt;
  }
  in6_addr address{};
  if (bracket) return inet_pton(AF_INET6, name.c_str(), &address) == 1 ? std::optional(name) : std::nullopt;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  const bool plain = name.find_first_not_of(kAllowed) == std::string::npos;
  return plain && !name.empty() && name.size() <= 255 ? std::optional(name) : std::nullopt;
}

bool is_loopback_name(std::string_view name) {
  if (name == "localhost" || name.ends_with(".localhost") || name == "::1") return true;
  in_addr address{};
  return name.starts_with("127.") && inet_pton(AF_INET, std::string(name).c_str(), &address) == 1;
}

tl::expected<std::shared_ptr<const TokenGrant>, Problem> Guard::check_head(const Request& request,
                                                                           Right right) {
  std::shared_ptr<const TokenGrant> caller;
  if (right == Right::kOpen) return caller;
  if (options_.tokens.empty()) {
    if (auto problem = options_.client_certificates ? std::nullopt : check_host(request))
      return tl::unexpected(*std::move(problem));
  } else {
    auto found = check_token(request);
    if (!found) return found;
    caller = *std::move(found);
  }
  if (is_safe(request.method)) return caller;
  if (auto problem = check_origin(request)) return tl::unexpected(*std::move(problem));
  return caller;
}

std::optional<Problem> Guard::check_rights(const TokenGrant& caller, const Route& route,
                                           const std::vector<std::string>& params) {
  const auto lacks = [&](std::string what) {
    return make_problem(403, "permission",
                        fmt::format("the token {} {}", json::quote(caller.name), std::move(what)));
  };
  // A call needs one of two rights; which one depends on its function, and its handler checks that.
  const bool adds = route.right == Right::kCall;
  if (!caller.has(route.right) && !(adds && caller.has(Right::kAdHoc)))
    return lacks(fmt::format("lacks the right {}, which {} {} needs", to_string(route.right), route.method,
                             route.pattern));
  if (route.pattern.starts_with("/v1/queues/{queue}")) {
    if (caller.may_use_queue(params.front())) return std::nullopt;
    return lacks(fmt::format("is not for the queue {}", json::quote(utf8_prefix(params.front(), 140))));
  }
  // Routes without a queue show or change all of them, except the lists, which their handlers filter.
  const bool filtered = adds || route.pattern == "/v1/queues" || route.pattern == "/v1/functions";
  if (caller.queues.empty() || filtered || route.pattern == "/readyz") return std::nullopt;
  return lacks(fmt::format("is only for some queues, and {} concerns all of them", route.pattern));
}

/// Without a token only the loopback address protects the API, and a web page can reach it by pointing its
/// own name there (DNS rebinding). Such a request has the page's name as Host.
std::optional<Problem> Guard::check_host(const Request& request) const {
  const std::string* header = request.header("host");
  const std::string name = host_name(header == nullptr ? "" : *header).value_or("");
  if (is_loopback_name(name)) return std::nullopt;
  if (std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end())
    return std::nullopt;
  return make_problem(
      421, "misdirected",
      fmt::format("Host {} is not a name of this server; without a token only localhost and the "
                  "names in server.hosts "
                  "are accepted",
                  json::quote(utf8_prefix(name, 140))));
}

tl::expected<std::shared_ptr<const TokenGrant>, Problem> Guard::check_token(const Request& request) {
  const std::string* header = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (header != nullptr && lower(std::string_view(*header).substr(0, kScheme.size())) == kScheme) {
    const std::string_view given = trim(std::string_view(*header).substr(kScheme.size()));
    if (auto token = find_token(options_.tokens, given)) return token;
    return tl::unexpected(wrong_token(request.remote));
  }
  Problem problem =
      make_problem(401, "unauthorized", "a token is required: send the header Authorization: Bearer <token>");
  problem.headers.push_back({"WWW-Authenticate", "Bearer"});
  return tl::unexpected(std::move(problem));
}

Problem Guard::wrong_token(const std::string& remote) {
  const Instant now = clock_.now();
  if (wrong_.size() >= kMostAddresses && !wrong_.contains(remote)) {
    std::erase_if(wrong_, [now](const auto& entry) { return now - entry.second.since >= kWindow; });
    if (wrong_.size() >= kMostAddresses) wrong_.clear();
  }
  Wrong& wrong = wrong_[remote];
  if (wrong.count == 0 || now - wrong.since >= kWindow) wrong = {now, 0};
  if (++wrong.count > options_.wrong_tokens) {
    Problem problem =
        make_problem(429, "too_many_wrong_tokens", "too many wrong tokens from this address; wait a minute");
    problem.headers.push_back({"Retry-After", "60"});
    return problem;
  }
  Problem problem = make_problem(401, "unauthorized", "the token is wrong");
  problem.headers.push_back({"WWW-Authenticate", "Bearer error=\"invalid_token\""});
  return problem;
}

/// A browser sends the origin of a request. Programs do not, and are not checked.
std::optional<Problem> Guard::check_origin(const Request& request) {
  constexpr std::string_view kDetail = "write requests from web pages of other origins are rejected";
  if (const std::string* site = request.header("sec-fetch-site")) {
    if (*site != "same-origin" && *site != "none")
      return make_problem(403, "cross_origin", std::string(kDetail));
  }
  if (const std::string* origin = request.header("origin")) {
    const std::string* host = request.header("host");
    const std::string own = host == nullptr ? "" : lower(*host);
    const std::string from = lower(*origin);
    if (own.empty() || (from != "http://" + own && from != "https://" + own)) {
      return make_problem(403, "cross_origin", std::string(kDetail));
    }
  }
  return std::nullopt;
}

std::optional<Problem> Guard::check_body(const Request& request) {
  if (const std::string* encoding = request.header("content-encoding")) {
    if (lower(*encoding) != "identity") {
      return make_problem(415, "unsupported_media_type",
                          "Content-Encoding is not supported; send uncompressed JSON");
    }
  }
  if (request.body.empty()) return std::nullopt;
  const std::string* type = request.header("content-type");
  std::string given = type == nullptr ? "" : lower(*type);
  std::string charset;
  if (const std::size_t semicolon = given.find(';'); semicolon != std::string::npos) {
    charset = given.substr(semicolon + 1);
    given.resize(semicolon);
  }
  const std::string parameter = lower(trim(charset));
  const bool utf8 = parameter.empty() || parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
  if (trim(given) == "application/json" && utf8) return std::nullopt;
  return make_problem(415, "unsupported_media_type",
                      "the body must be JSON in UTF-8: send the header Content-Type: application/json");
}

}  // namespace gaur::http
