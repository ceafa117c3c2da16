#pragma once
// Validation of add requests, shared by all stores. gaur/job.hpp declares the rules of a single job.
// Thread-safety: pure functions.
#include <cstddef>
#include <string_view>

#include "core/capabilities.hpp"
#include "core/store.hpp"

namespace gaur {

/// Most bytes of names and data in one add request of any store.
inline constexpr std::size_t kMostAddBytes = std::size_t{64} << 20;

/// Checks the queue's name, the size of the batch, each job (problems_of_job()), and the options that need a
/// capability of the store. `store` names it in messages: "the Bull store". Errors: kInvalidArgument,
/// kTooLarge, kUnsupported.
Status validate_add(const AddRequest& request, std::string_view store, Capabilities capabilities);

}  // namespace gaur
