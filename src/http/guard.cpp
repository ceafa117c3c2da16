#include "http/guard.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

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

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;
  Digest digests[2]{};
  const std::string_view texts[2]{left, right};
  for (std::size_t i = 0; i < 2; ++i) {
    const bool made =
        EVP_Digest(texts[i].data(), texts[i].size(), digests[i].data(), nullptr, EVP_sha256(), nullptr) == 1;
    if (!made) return false;  // out of memory: reject everything
  }
  return CRYPTO_memcmp(digests[0].data(), digests[1].data(), digests[0].size()) == 0;
}

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

std::optional<Problem> Guard::check_head(const Request& request, Access access) {
  if (access == Access::kOpen) return std::nullopt;
  auto problem = options_.token.empty() ? check_host(request) : check_token(request);
  if (problem || is_safe(request.method)) return problem;
  return check_origin(request);
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

std::optional<Problem> Guard::check_token(const Request& request) {
  const std::string* header = request.header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (header != nullptr && lower(std::string_view(*header).substr(0, kScheme.size())) == kScheme) {
    const std::string_view given = trim(std::string_view(*header).substr(kScheme.size()));
    if (equal_in_constant_time(given, options_.token)) return std::nullopt;
    return wrong_token(request.remote);
  }
  Problem problem =
      make_problem(401, "unauthorized", "a token is required: send the header Authorization: Bearer <token>");
  problem.headers.push_back({"WWW-Authenticate", "Bearer"});
  return problem;
}

std::optional<Problem> Guard::wrong_token(const std::string& remote) {
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
