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

struct Unit {  ///< the value of an operation that has none
  bool operator==(const Unit&) const = default;
};
using Status = Result<Unit>;
inline Status ok() {
  return Unit{};
}

}  // namespace gaur

/// GAUR_TRY(auto job, store.get(id)); declares `job`, or returns the error from the enclosing function.
#define GAUR_TRY_CAT2(a, b) a##b
#define GAUR_TRY_CAT(a, b) GAUR_TRY_CAT2(a, b)
#define GAUR_TRY(declaration, expression) \
  GAUR_TRY_IMPL(GAUR_TRY_CAT(gaur_try_, __LINE__), declaration, expression)
#define GAUR_TRY_IMPL(temporary, declaration, expression)             \
  auto temporary = (expression);                                      \
  if (!temporary) return ::gaur::Error(std::move(temporary).error()); \
  declaration = *std::move(temporary)
/// GAUR_CHECK(status()); returns the error, drops the value.
#define GAUR_CHECK(expression) GAUR_CHECK_IMPL(GAUR_TRY_CAT(gaur_check_, __LINE__), expression)
#define GAUR_CHECK_IMPL(temporary, expression)                          \
  do {                                                                  \
    auto temporary = (expression);                                      \
    if (!temporary) return ::gaur::Error(std::move(temporary).error()); \
  } while (false)
