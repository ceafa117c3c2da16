#pragma once
// Links to result files for producers that know nothing of Gaur: signed, so that whoever holds one needs no
// token, and expiring with the file. Thread-safety: immutable but for set_base_url(), which comes before the
// first run.
#include <filesystem>
#include <string>

#include "app/config/config.hpp"
#include "gaur/result_files.hpp"

namespace gaur::app {

class Links {
 public:
  /// `secret`: at least 32 bytes.
  Links(const ResultsConfig& config, std::string secret);

  /// The address that this host is reached under where no public_url is configured.
  void set_base_url(std::string url) { own_url_ = std::move(url); }

  /// Where this file is to be had: a signed link to this host, or, in a shared folder, its place there.
  std::string url(const JobRef& job, const ResultFile& file) const;
  /// {"url":...,"bytes":...,"format":...,"expires":"2026-11-22T09:30:00Z"}: the result of the job.
  std::string result(const JobRef& job, const ResultFile& file) const;
  /// gaur::LinkCheck.
  Status check(const JobRef& job, const std::string& expires, const std::string& signature, Time now) const;

 private:
  std::string sign(const JobRef& job, std::int64_t expires_ms) const;

  const ResultsConfig& config_;
  const std::string secret_;
  std::string own_url_;
};

/// The configured secret, or one of the data folder's own, made at the first start (links outlive restarts).
/// Errors: kIo; kInvalidArgument (shorter than 32 bytes).
Result<std::string> link_secret(const Config& config);

}  // namespace gaur::app
