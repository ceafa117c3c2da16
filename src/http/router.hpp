#pragma once
// The table of routes, and functions that search it. A new endpoint is one handler and one row in routes.cpp.
// Pure.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "http/access.hpp"
#include "http/message.hpp"
#include "http/values.hpp"

namespace gaur::http {

class Service;
struct Route;

/// One request while its handler runs.
struct Exchange {
  Request request;
  /// Not nullptr after Service::open().
  const Route* route = nullptr;
  /// Values of the {names} of the pattern, decoded.
  std::vector<std::string> params;
  /// Only names that the route allows.
  std::vector<std::pair<std::string, std::string>> query;
  Reply reply;
  /// The token of the request; nullptr if the server has none, and then everything is allowed.
  std::shared_ptr<const TokenGrant> caller;
  /// ServerOptions::base_path.
  std::string base;
  /// Of a request that waits, see Service::begin_wait.
  std::shared_ptr<const void> wait_ticket;
  /// Of a request that waits: requested once its client has disconnected.
  std::stop_source disconnected{std::nostopstate};
  /// Of an add: the store has not answered yet.
  bool adding = false;
  /// Of an add that waits: its answer if the wait ends without a job. No answer hides that jobs were added.
  std::optional<Response> receipt;
};
/// The handler shares it with its continuation, which runs on the store's reply.
using ExchangePtr = std::shared_ptr<Exchange>;
using Handler = void (*)(Service&, const ExchangePtr&);

struct Route {
  std::string_view method;
  /// "/v1/queues/{queue}/jobs": a {name} matches one segment that is not empty.
  std::string_view pattern;
  /// Names of the allowed parameters, separated by blanks.
  std::string_view query;
  /// Needed by the request's token.
  Right right;
  Handler handler;
};

/// All routes, in the order of docs/reference/http-api.md.
std::span<const Route> routes();

struct Match {
  /// nullptr: nothing of this path and method.
  const Route* route = nullptr;
  std::vector<std::string> params;
  /// The methods of this path, separated by ", "; "" if the path is unknown.
  std::string allow;
};
/// HEAD finds the GET route.
Match find_route(std::span<const Route> table, std::string_view method,
                 const std::vector<std::string>& segments);

}  // namespace gaur::http
