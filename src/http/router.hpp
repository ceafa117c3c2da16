#pragma once
// The table of routes and the search in it. A new endpoint is one handler and one row in routes.cpp. Pure.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "http/values.hpp"

namespace gaur::http {

class Service;
struct Route;

/// One request while its handler runs.
struct Exchange {
  Request request;
  const Route* route = nullptr;                            ///< not nullptr after Service::open()
  std::vector<std::string> params;                         ///< values of the {names} of the pattern, decoded
  std::vector<std::pair<std::string, std::string>> query;  ///< only names that the route allows
  Reply reply;
  std::string base;                         ///< what clients see before every path: ServerOptions::base_path
  std::shared_ptr<const void> wait_ticket;  ///< of a request that waits, see Service::begin_wait
};
/// Shared with the continuation of the handler on the store's answer.
using ExchangePtr = std::shared_ptr<Exchange>;
using Handler = void (*)(Service&, const ExchangePtr&);

enum class Access : std::uint8_t {
  kOpen,  ///< without a token, from any host: only what reveals nothing
  kRead,
  kWrite,  ///< changes something
};

struct Route {
  std::string_view method;
  std::string_view pattern;  ///< "/v1/queues/{queue}/jobs": a {name} matches one segment that is not empty
  std::string_view query;    ///< names of the parameters that are allowed, blanks between them
  Access access;
  Handler handler;
};

/// All routes, in the order of docs/reference/http-api.md.
std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  ///< nullptr: nothing of this path and method
  std::vector<std::string> params;
  std::string allow;  ///< methods that this path has, ", " between them; "" if the path is unknown
};
/// HEAD finds the GET route.
Match find_route(std::span<const Route> table, std::string_view method,
                 const std::vector<std::string>& segments);

}  // namespace gaur::http
