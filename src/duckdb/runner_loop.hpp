#pragma once
// The life of the runner: ready, then run after run, until stop or the end of the pipe.
#include <functional>

#include "base/env.hpp"
#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// Speaks the runner protocol on descriptors 3 and 4. Returns the exit code of the process.
/// `renew` starts the program anew in this same process (exec), with kRenewedVariable set; it returns only
/// when it cannot. It is called between two runs when the process is worn or broken: pid and descriptors
/// stay, no frame is lost, Gaur does not notice. Thread-safety: called once, from main; starts threads of its
/// own.
int run_runner(const Api& api, const Spec& spec, Clock& clock, const std::function<void()>& renew);
inline constexpr const char* kRenewedVariable = "GAUR_DUCKDB_RENEWED";

}  // namespace gaur::duckdb
