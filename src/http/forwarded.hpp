#pragma once
// Reverse proxies: the client's address and the base path of the API. Pure.
#include <span>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace gaur::http {

/// The address of the client: `request.remote`, unless that is one of `trusted`: then the last address in
/// X-Forwarded-For that is not one of them (all are: the first). Headers of other
/// clients are ignored.
std::string client_address(const Request& request, std::span<const std::string> trusted);

/// `target` without `base` ("/gaur") before it. A target that does not begin with it is returned
/// unchanged: the proxy may have removed it, and local health checks do not use it.
std::string_view without_base(std::string_view target, std::string_view base);

}  // namespace gaur::http
