#include "http/forwarded.hpp"

#include <algorithm>
#include <vector>

#include "http/values.hpp"

namespace gaur::http {

std::string client_address(const Request& request, std::span<const std::string> trusted) {
  const auto is_trusted = [trusted](std::string_view address) {
    return std::find(trusted.begin(), trusted.end(), address) != trusted.end();
  };
  if (!is_trusted(request.remote)) return request.remote;
  std::vector<std::string_view> hops;
  for (const Header& header : request.headers) {
    if (header.name != "x-forwarded-for") continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      hops.push_back(trim(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
  }
  const auto untrusted = std::find_if_not(hops.rbegin(), hops.rend(), is_trusted);
  const std::string_view found = untrusted != hops.rend() ? *untrusted : hops.empty() ? "" : hops.front();
  constexpr std::size_t kLongest = 64;  // an address and its zone; longer texts are not addresses
  return found.empty() || found.size() > kLongest ? request.remote : std::string(found);
}

std::string_view without_base(std::string_view target, std::string_view base) {
  if (base.empty() || !target.starts_with(base)) return target;
  const std::string_view rest = target.substr(base.size());
  return rest.starts_with('/') ? rest : target;
}

}  // namespace gaur::http
