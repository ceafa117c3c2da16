#pragma once
// The main loop of the runner: `ready`, then one run after another until `stop` or end of file.
#include <functional>

#include "base/env.hpp"
#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// Speaks the runner protocol on descriptors 3 and 4. Returns the exit code of the process.
/// `renew` executes the program again in this process (exec), with kRenewedVariable set; it returns only on
/// failure. It is called between two runs when the process must be renewed: pid and descriptors stay, no
/// frame is lost, and Gaur does not notice. Thread-safety: called once, from main; starts its own threads.
int run_runner(const Api& api, const Spec& spec, Clock& clock, const std::function<void()>& renew);
inline constexpr const char* kRenewedVariable = "GAUR_DUCKDB_RENEWED";

}  // namespace gaur::duckdb
