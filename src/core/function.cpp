#include "base/json_text.hpp"
#include "core/needs.hpp"

namespace gaur {

FunctionName function_of(std::string_view name, std::string_view data, std::string_view field) {
  if (field.empty()) return FunctionName(std::string(name));
  const auto parsed = json::parse(data, json::kPeerLimits);
  const json::Value* value = parsed ? json::find(*parsed, field) : nullptr;
  if (value == nullptr || !value->is_string() || value->get_string().empty())
    return FunctionName(std::string(name));
  return FunctionName(std::string(std::string_view(value->get_string())));
}

}  // namespace gaur
