#include "duckdb/spec_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gaur::duckdb {

std::string MemberReader::path_of(std::string_view key) const {
  if (key.empty()) return path_;
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void MemberReader::problem(std::string_view key, std::string message) {
  problems_.push_back({path_of(key), std::move(message)});
}

const json::Value* MemberReader::find(std::string_view key) {
  known_.emplace(key);
  return object_.if_contains(key);
}

void MemberReader::text(std::string_view key, std::string& value) {
  const auto* member = find(key);
  if (member == nullptr) return;
  if (!member->is_string()) return problem(key, "must be a text");
  value = std::string(member->as_string());
}

void MemberReader::boolean(std::string_view key, bool& value) {
  const auto* member = find(key);
  if (member == nullptr) return;
  if (!member->is_bool()) return problem(key, "must be true or false");
  value = member->as_bool();
}

void MemberReader::size(std::string_view key, std::size_t& value, std::size_t most) {
  if (find(key) == nullptr) return;
  const auto number = json::integer(object_, key);
  if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > most) {
    return problem(key, fmt::format("must be a whole number from 0 to {}", most));
  }
  value = static_cast<std::size_t>(*number);
}

void MemberReader::texts(std::string_view key, std::vector<std::string>& values) {
  const auto* member = find(key);
  if (member == nullptr) return;
  if (!member->is_array()) return problem(key, "must be a list of texts");
  for (std::size_t i = 0; i < member->as_array().size(); ++i) {
    const auto& item = member->as_array()[i];
    if (item.is_string()) {
      values.emplace_back(item.as_string());
    } else {
      problem(fmt::format("{}.{}", key, i), "must be a text");
    }
  }
}

std::size_t MemberReader::word(std::string_view key, const std::vector<std::string_view>& words,
                               std::size_t otherwise) {
  const auto* member = find(key);
  if (member == nullptr) return otherwise;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (member->is_string() && std::string_view(member->as_string()) == words[i]) return i;
  }
  problem(key, fmt::format("must be one of \"{}\"", fmt::join(words, "\", \"")));
  return otherwise;
}

const json::Object* MemberReader::object(std::string_view key) {
  const auto* member = find(key);
  if (member == nullptr) return nullptr;
  if (!member->is_object()) {
    problem(key, "must be an object");
    return nullptr;
  }
  return &member->as_object();
}

void MemberReader::finish() {
  for (const auto& member : object_) {
    if (!known_.contains(std::string_view(member.key()))) {
      problem(std::string_view(member.key()),
              fmt::format("is unknown here; known are {}", fmt::join(known_, ", ")));
    }
  }
}

}  // namespace gaur::duckdb
