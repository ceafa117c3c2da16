#pragma once
// Little-endian encoding into a string, and bounded decoding of bytes that may be damaged.
// Thread-safety: values; confined to their owner.
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gaur::embedded {

static_assert(std::endian::native == std::endian::little,
              "the disk format is little-endian; add byte swaps to port");

/// Appends to a string of the caller, who may reuse its memory.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  template <std::integral T>
  void number(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.append(raw, sizeof(T));
  }
  /// LEB128: seven bits a byte, lowest first, so that small numbers take one byte.
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  /// A 32-bit length and the bytes.
  void text(std::string_view bytes) {
    number(static_cast<std::uint32_t>(bytes.size()));
    out_.append(bytes);
  }

 private:
  std::string& out_;
};

/// Reads values in the order in which they were written. A read past the end returns 0 or "" and sets ok() to
/// false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <std::integral T>
  T number() {
    T value{};
    if (rest_.size() < sizeof(T)) return fail(), T{};
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = number<std::uint8_t>();
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    return fail(), std::uint64_t{0};
  }
  std::string_view text() {
    const auto size = number<std::uint32_t>();
    if (rest_.size() < size) return fail(), std::string_view{};
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace gaur::embedded
