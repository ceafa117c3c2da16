#include <openssl/evp.h>

#include <array>

#include "redis/client.hpp"

namespace gaur::redis {
namespace {

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4U];
    hex += kDigits[digest[i] & 15U];
  }
  return hex;
}

}  // namespace

Script::Script(std::string name, std::string text) {
  std::string sha1 = sha1_hex(text);
  parts_ = std::make_shared<const Parts>(Parts{std::move(name), std::move(text), std::move(sha1)});
}

}  // namespace gaur::redis
