#pragma once
// Result<T>: a value or an Error. tl::expected with [[nodiscard]], behind our own name so that it
// can become std::expected.
#include <tl/expected.hpp>

#include "gaur/error.hpp"

namespace gaur {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(tl::make_unexpected(std::move(error))) {}  // NOLINT(google-explicit-constructor)
  Result(Base base) : Base(std::move(base)) {}                          // NOLINT(google-explicit-constructor)
  friend bool operator==(const Result& a, const Result& b) {
    return a.has_value() == b.has_value() && (a ? *a == *b : a.error() == b.error());
  }
};

/// The value of an operation that has none.
struct Unit {
  bool operator==(const Unit&) const = default;
};
using Status = Result<Unit>;
inline Status ok() {
  return Unit{};
}

}  // namespace gaur
