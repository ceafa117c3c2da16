#include "results/signed_urls.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>

#include "base/files.hpp"
#include "base/name_text.hpp"
#include "base/try.hpp"

namespace gaur::results {
namespace {

constexpr std::size_t kShortestSecret = 32;
constexpr std::size_t kLongestSecret = 64 << 10;

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

/// The content without line breaks at its end.
Result<std::string> read_secret(const std::filesystem::path& file) {
  GAUR_TRY(std::string secret, gaur::read_file(file, kLongestSecret));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

Result<std::string> create_secret(const std::filesystem::path& file) {
  std::array<unsigned char, kShortestSecret> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return Error{Errc::kIo, "OpenSSL has no random bytes for the secret of links"};
  const std::string secret = hex(bytes.data(), bytes.size());
  GAUR_CHECK(write_file(file, secret + "\n", 0600));
  return secret;
}

/// Percent-encoded except for the slashes between folders.
std::string encoded_path(const std::filesystem::path& path) {
  std::string text;
  for (const auto& part : path.relative_path()) text += "/" + percent_encode(part.string());
  return text;
}

}  // namespace

std::string SignedUrls::sign(const JobRef& job, std::int64_t expires_ms) const {
  // The lengths keep the texts of different jobs different.
  const std::string text = fmt::format("gaur-link-1\n{}:{}\n{}:{}\n{}", job.queue.value.size(),
                                       job.queue.value, job.id.value.size(), job.id.value, expires_ms);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), options_.secret.data(), static_cast<int>(options_.secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return hex(mac.data(), size);
}

std::string SignedUrls::url(const JobRef& job, const ResultFile& file) const {
  if (options_.shared && options_.public_url.empty()) return "file://" + encoded_path(file.path);
  if (options_.shared)
    return options_.public_url + encoded_path(file.path.lexically_relative(options_.folder));
  const std::int64_t expires = to_ms(file.expires_at);
  return (options_.public_url.empty() ? own_url_ : options_.public_url) +
         options_.path(job, expires, sign(job, expires));
}

Status SignedUrls::check(const JobRef& job, const std::string& expires, const std::string& signature,
                         Time now) const {
  std::int64_t at = 0;
  const auto read = std::from_chars(expires.data(), expires.data() + expires.size(), at);
  const std::string expected = sign(job, at);
  const bool same = read.ec == std::errc() && read.ptr == expires.data() + expires.size() &&
                    signature.size() == expected.size() &&
                    CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  if (!same) return Error{Errc::kPermission, "this link was not signed here, or it was changed"};
  if (now >= from_ms(at)) return Error{Errc::kTimeout, "the link has expired"};
  return ok();
}

// GCC 12 reports false overreads in a move of a short string.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overread"
Result<std::string> load_link_secret(const std::filesystem::path& file, bool create) {
  std::error_code ignored;
  if (create && !std::filesystem::exists(file, ignored)) return create_secret(file);
  auto secret = read_secret(file);
  if (!secret && secret.error().code != Errc::kNotFound) return secret;
  if (!secret || secret->size() < kShortestSecret) {
    return Error{Errc::kInvalidArgument,
                 fmt::format("{} must contain a secret of at least {} bytes to sign links; create one with "
                             "`openssl rand -hex 32`",
                             file.string(), kShortestSecret)};
  }
  return secret;
}
#pragma GCC diagnostic pop

}  // namespace gaur::results
