#include "interop/driver/request.hpp"

#include <fmt/format.h>

#include "base/try.hpp"

namespace gaur::driver {

Result<Request> Request::parse(std::string_view line) {
  Request request;
  request.line_ = std::make_shared<const std::string>(line);
  GAUR_TRY(request.members_, json::members(*request.line_));
  request.number_ = static_cast<std::uint64_t>(request.whole("number"));
  request.verb_ = request.text("verb");
  return request;
}

std::optional<std::string_view> Request::raw(std::string_view key) const {
  for (const json::Member& member : members_)
    if (member.key == key) return member.value;
  return std::nullopt;
}

std::string Request::text(std::string_view key, std::string_view otherwise) const {
  const auto found = raw(key);
  if (!found) return std::string(otherwise);
  return json::unquote(*found).value_or(std::string(*found));
}

std::int64_t Request::whole(std::string_view key, std::int64_t otherwise) const {
  const auto found = raw(key);
  if (!found) return otherwise;
  const auto parsed = json::parse(*found);
  return parsed && parsed->is_int64() ? parsed->get_int64() : otherwise;
}

void Answers::value(std::uint64_t number, std::string_view json) {
  line(fmt::format("{{\"number\":{},\"value\":{}}}\n", number, json));
}

void Answers::error(std::uint64_t number, const Error& error) {
  line(fmt::format("{{\"number\":{},\"error\":{{\"code\":{},\"message\":{}}}}}\n", number,
                   json::quote(to_string(error.code)), json::quote(error.message)));
}

void Answers::line(const std::string& text) {
  std::lock_guard lock(mutex_);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace gaur::driver
