#pragma once
// The types of keys. Keys are big-endian, so that LMDB sorts them by their values.
// docs/reference/disk-format.md lists them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gaur/job.hpp"

namespace gaur::embedded {

// Keys of table `meta`.
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kGlobalKey = "global";

/// A queue's number in the file. Never reused.
using QueueNumber = std::uint32_t;
/// A job's number in its queue. Never reused. Generated job ids are this number as text, from 1.
using JobNumber = std::uint64_t;
/// Jobs with a custom id are numbered from here.
inline constexpr JobNumber kFirstCustomNumber = 1ULL << 63;

struct JobKey {
  QueueNumber queue = 0;
  JobNumber job = 0;
  auto operator<=>(const JobKey&) const = default;
};

/// A function's name in the index of ready jobs: 64-bit FNV-1a. A collision costs time only, because the name
/// is read before a job is taken.
using FunctionHash = std::uint64_t;
inline FunctionHash hash_of(const FunctionName& function) {
  FunctionHash hash = 0xCBF29CE484222325ULL;
  for (const char c : function.value) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash;
}

struct JobKeyHash {
  std::size_t operator()(JobKey key) const noexcept { return (key.job ^ key.queue) * 0x9E3779B97F4A7C15ULL; }
};

/// A key under construction, on the stack. The longest is a session's name.
class Key {
 public:
  static constexpr std::size_t kLongest = 500;

  Key() = default;
  explicit Key(JobKey job) { u32(job.queue).u64(job.job); }
  Key& u8(std::uint8_t value) {
    bytes_[size_++] = static_cast<char>(value);
    return *this;
  }
  Key& u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  Key& u64(std::uint64_t value) {
    return u32(static_cast<std::uint32_t>(value >> 32)).u32(static_cast<std::uint32_t>(value));
  }
  /// The sign bit is flipped, so that negative numbers sort first.
  Key& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value) ^ (1ULL << 63)); }
  Key& text(std::string_view bytes) {
    const std::size_t fits = std::min(bytes.size(), bytes_.size() - size_);
    std::copy_n(bytes.data(), fits, bytes_.data() + size_);
    size_ += fits;
    return *this;
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kLongest> bytes_;  // only the first size_ bytes are initialized
  std::size_t size_ = 0;
};

inline std::uint32_t u32_at(std::string_view key, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4 && at + i < key.size(); ++i)
    value = (value << 8) | static_cast<unsigned char>(key[at + i]);
  return value;
}
inline std::uint64_t u64_at(std::string_view key, std::size_t at) {
  return (std::uint64_t{u32_at(key, at)} << 32) | u32_at(key, at + 4);
}
inline std::int64_t i64_at(std::string_view key, std::size_t at) {
  return static_cast<std::int64_t>(u64_at(key, at) ^ (1ULL << 63));
}

/// The optional records of a job in table `parts`. The byte follows the job's key.
enum class Part : std::uint8_t { kProgress = 1, kResult = 2, kFailure = 3, kUsageDetails = 4 };

/// The number of a generated id; nothing for a custom id.
inline std::optional<JobNumber> generated_number(std::string_view id) {
  if (id.empty() || id.size() > 19 || id.front() == '0') return std::nullopt;
  JobNumber number = 0;
  for (const char c : id) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<JobNumber>(c - '0');
  }
  return number;
}

}  // namespace gaur::embedded
