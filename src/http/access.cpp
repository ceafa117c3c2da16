#include "http/access.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace gaur::http {

namespace {

struct NamedRight {
  Right right;
  std::string_view name;
};
constexpr std::array kNames{NamedRight{Right::kView, "view"}, NamedRight{Right::kCall, "call"},
                            NamedRight{Right::kAdHoc, "ad-hoc"}, NamedRight{Right::kOperate, "operate"},
                            NamedRight{Right::kAdmin, "admin"}};

}  // namespace

std::string_view to_string(Right right) {
  for (const NamedRight& named : kNames) {
    if (named.right == right) return named.name;
  }
  return "-";
}

std::optional<Right> parse_right(std::string_view text) {
  for (const NamedRight& named : kNames) {
    if (named.name == text) return named.right;
  }
  return std::nullopt;
}

std::vector<std::string> right_names() {
  std::vector<std::string> names;
  for (const NamedRight& named : kNames) names.emplace_back(named.name);
  return names;
}

TokenGrant admin_grant(std::string name, std::vector<std::string> secrets) {
  return {std::move(name), std::move(secrets), {Right::kAdmin}, {}, {}};
}

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

std::shared_ptr<const TokenGrant> find_token(const TokenTable& tokens, std::string_view secret) {
  std::shared_ptr<const TokenGrant> found;
  for (const auto& token : tokens) {
    for (const std::string& each : token->secrets) {
      if (equal_in_constant_time(secret, each)) found = token;
    }
  }
  return found;
}

}  // namespace gaur::http
