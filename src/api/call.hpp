#pragma once
// The data of a job that calls a function. Thread-safety: pure functions.
#include <set>
#include <string>

#include "gaur/functions.hpp"
#include "gaur/result.hpp"

namespace gaur {

/// The job's data for a call with these parameters (the text of a JSON object, kept byte for byte): the
/// parameters at `params_path`, the function's name at `function_field` where the queue wants it there.
/// A name that is at `function_field` already is kept where it is this function's.
/// Errors: kInvalidArgument (not a JSON object; another value at `function_field`, or two).
Result<std::string> compose_data(const FunctionInfo& function, const std::string& parameters);

/// kNotFound: "unknown function "tpo"; did you mean "top"? known are: rank, top". Long lists are truncated.
Error unknown_function(const FunctionName& name, const FunctionCatalog& catalog);
Error unknown_queue(const QueueName& name, const std::set<QueueName>& queues);

}  // namespace gaur
