#include "app/look/connected_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/text/text_table.hpp"
#include "base/name_text.hpp"
#include "base/try.hpp"

namespace gaur::app {
namespace {

constexpr std::string_view kBegin = "gaur:";

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool code =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3;
    out += code ? static_cast<char>(byte) : text[i];
    if (code) i += 2;
  }
  return out;
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The value of a field of a line of CLIENT LIST: "addr=127.0.0.1:4711 name=... db=0".
std::string_view field(std::string_view line, std::string_view name) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view pair = line.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return {};
}

/// Parses "gaur:WORKER@MACHINE:PID/PREFIX"; false: the name has another form.
bool parse_connection_name(std::string_view name, ConnectedHost& host) {
  if (!name.starts_with(kBegin)) return false;
  name.remove_prefix(kBegin.size());
  const std::size_t at = name.find('@');
  const std::size_t colon = name.find(':', at);
  const std::size_t slash = name.find('/', colon);
  if (at == std::string_view::npos || colon == std::string_view::npos || slash == std::string_view::npos)
    return false;
  host.worker = decoded(name.substr(0, at));
  host.machine = decoded(name.substr(at + 1, colon - at - 1));
  host.pid = number<std::int64_t>(name.substr(colon + 1, slash - colon - 1));
  host.prefix = decoded(name.substr(slash + 1));
  return host.pid > 0;
}

}  // namespace

std::string host_connection_name(const ConnectedHost& host) {
  return fmt::format("{}{}@{}:{}/{}", kBegin, percent_encode(host.worker), percent_encode(host.machine),
                     host.pid, percent_encode(host.prefix));
}

std::vector<ConnectedHost> hosts_in(std::string_view clients) {
  std::vector<ConnectedHost> found;
  while (!clients.empty()) {
    const std::size_t end = std::min(clients.find('\n'), clients.size());
    const std::string_view line = clients.substr(0, end);
    clients.remove_prefix(std::min(end + 1, clients.size()));
    ConnectedHost host;
    if (!parse_connection_name(field(line, "name"), host)) continue;
    host.address = field(line, "addr");
    host.db = number<std::uint32_t>(field(line, "db"));
    const bool known = std::ranges::any_of(found, [&](const ConnectedHost& other) {
      return other.pid == host.pid && other.machine == host.machine && other.worker == host.worker &&
             other.prefix == host.prefix && other.db == host.db;
    });
    if (!known) found.push_back(std::move(host));
  }
  return found;
}

Result<std::vector<ConnectedHost>> connected_hosts(redis::Client& client, std::uint32_t db,
                                                   const std::string& prefix) {
  GAUR_TRY(const redis::Reply reply, client.call({"CLIENT", "LIST"}).get());
  if (const auto* refused = reply.failure())
    return Error{Errc::kPermission, "cannot list the hosts of Gaur: CLIENT LIST failed: " + refused->text};
  const std::string* text = reply.text();
  std::vector<ConnectedHost> hosts = hosts_in(text == nullptr ? "" : *text);
  std::erase_if(hosts, [&](const ConnectedHost& host) { return host.db != db || host.prefix != prefix; });
  return hosts;
}

std::string describe(const ConnectedHost& host) {
  return fmt::format("{} (pid {} on {}, {})", strip_control_characters(host.worker), host.pid,
                     strip_control_characters(host.machine), strip_control_characters(host.address));
}

}  // namespace gaur::app
