#include "redis_store/client_list.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace gaur::redis_store {
namespace {

std::string base64(std::string_view text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return encoded;
}

/// "addr=127.0.0.1:4711": the value of a field of a line of CLIENT LIST.
std::string_view field_of(std::string_view line, std::string_view name) {
  for (std::size_t at = 0; at < line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    const std::string_view pair = line.substr(at, end - at);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
    at = end + 1;
  }
  return {};
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::vector<WorkerSeen> workers_of(std::string_view clients, std::string_view name) {
  std::vector<WorkerSeen> found;
  while (!clients.empty()) {
    const auto end = std::min(clients.find('\n'), clients.size());
    const std::string_view line = clients.substr(0, end);
    clients.remove_prefix(std::min(end + 1, clients.size()));
    // Bull compares the begin alone; but "YWJj" (abc) begins "YWJjZGVm" (abcdef) as well.
    const std::string_view shown = field_of(line, "name");
    if (!shown.starts_with(name)) continue;
    if (shown.size() > name.size() &&
        (std::isalnum(static_cast<unsigned char>(shown[name.size()])) != 0 ||
         std::string_view("+/=").find(shown[name.size()]) != std::string_view::npos))
      continue;
    found.push_back({std::string(field_of(line, "addr")), std::string(field_of(line, "cmd")),
                     number_in(field_of(line, "age")), number_in(field_of(line, "idle"))});
  }
  return found;
}

std::string worker_connection_name(std::string_view prefix, const QueueName& queue) {
  return std::string(prefix) + ":" + base64(queue.value);
}

}  // namespace gaur::redis_store
