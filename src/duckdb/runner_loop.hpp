#pragma once
// The life of the runner: ready, then run after run, until stop or the end of the pipe.
#include "base/env.hpp"
#include "duckdb/library.hpp"
#include "duckdb/spec.hpp"

namespace gaur::duckdb {

/// Speaks the runner protocol on descriptors 3 and 4. Returns the exit code of the process.
/// Thread-safety: called once, from main; starts threads of its own.
int run_runner(const Api& api, const Spec& spec, Clock& clock);

}  // namespace gaur::duckdb
