#pragma once
// Early return on error: GAUR_TRY and GAUR_CHECK, for functions that return a Result.
#include <utility>

#include "gaur/result.hpp"

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
