#include "app/host/signed_urls.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "base/name_text.hpp"
#include "base/time_text.hpp"
#include "base/try.hpp"
#include "runner/result_folder.hpp"

namespace gaur::app {
namespace {

constexpr std::size_t kLeastSecret = 32;

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string secret = text.str();
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

Result<std::string> make_secret(const std::filesystem::path& file) {
  std::array<unsigned char, kLeastSecret> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return Error{Errc::kIo, "no random bytes for the secret of links"};
  const std::string secret = hex(bytes.data(), bytes.size());
  GAUR_CHECK(write_file(file, secret + "\n", 0600));
  return secret;
}

/// Percent codes, the slashes between folders kept.
std::string encoded_path(const std::filesystem::path& path) {
  std::string text;
  for (const auto& part : path.relative_path()) text += "/" + percent_encode(part.string());
  return text;
}

}  // namespace

Links::Links(const ResultsConfig& config, std::string secret) : config_(config), secret_(std::move(secret)) {}

std::string Links::sign(const JobRef& job, std::int64_t expires_ms) const {
  // Lengths before the texts: no two jobs can be written the same.
  const std::string text = fmt::format("gaur-link-1\n{}:{}\n{}:{}\n{}", job.queue.value.size(),
                                       job.queue.value, job.id.value.size(), job.id.value, expires_ms);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return hex(mac.data(), size);
}

std::string Links::url(const JobRef& job, const ResultFile& file) const {
  if (config_.shared) {
    const std::filesystem::path below = file.path.lexically_relative(config_.folder);
    return config_.public_url.empty() ? "file://" + encoded_path(file.path)
                                      : config_.public_url + encoded_path(below);
  }
  const std::int64_t expires = to_ms(file.expires_at);
  return fmt::format(
      "{}/v1/files/{}/{}?expires={}&signature={}", config_.public_url.empty() ? own_url_ : config_.public_url,
      percent_encode(job.queue.value), percent_encode(job.id.value), expires, sign(job, expires));
}

std::string Links::result(const JobRef& job, const ResultFile& file) const {
  return json::object([&](json::ObjectWriter& out) {
    out.text("url", url(job, file))
        .number("bytes", file.bytes)
        .text("format", file.format)
        .text("expires", iso_time_seconds(file.expires_at));
  });
}

Status Links::check(const JobRef& job, const std::string& expires, const std::string& signature,
                    Time now) const {
  std::int64_t at = 0;
  const auto read = std::from_chars(expires.data(), expires.data() + expires.size(), at);
  const std::string right = sign(job, at);
  const bool same = read.ec == std::errc() && read.ptr == expires.data() + expires.size() &&
                    signature.size() == right.size() &&
                    CRYPTO_memcmp(signature.data(), right.data(), right.size()) == 0;
  if (!same) return Error{Errc::kPermission, "this link was not signed here, or it was changed"};
  if (now >= from_ms(at)) return Error{Errc::kTimeout, "the link has expired"};
  return ok();
}

// GCC 12 sees a short string's move where the size says that it is a long one.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overread"
Result<std::string> link_secret(const Config& config) {
  const bool configured = !config.results.link_secret_file.empty();
  const std::filesystem::path file =
      configured ? config.results.link_secret_file : config.data_folder / "link-secret";
  std::error_code ignored;
  if (!configured && !std::filesystem::exists(file, ignored)) return make_secret(file);
  std::string secret = read_all(file);
  if (secret.size() < kLeastSecret) {
    return Error{
        Errc::kInvalidArgument,
        fmt::format("{} must hold a secret of at least {} bytes to sign links with; `openssl rand -hex 32` "
                    "makes one",
                    file.string(), kLeastSecret)};
  }
  return secret;
}
#pragma GCC diagnostic pop

}  // namespace gaur::app
