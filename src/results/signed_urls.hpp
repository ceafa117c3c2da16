#pragma once
// Links to result files for producers without a token: signed with HMAC-SHA256, and valid until the file
// expires. Thread-safety: immutable except set_own_url(), which is called before the first run.
#include <filesystem>
#include <functional>
#include <string>

#include "gaur/result_files.hpp"

namespace gaur::results {

class SignedUrls {
 public:
  struct Options {
    /// Of the result files.
    std::filesystem::path folder;
    /// Producers read `folder` directly: links are places in it.
    bool shared = false;
    /// Without a slash at its end; "": the host's own URL.
    std::string public_url{};
    /// At least 32 bytes.
    std::string secret;
    /// Builds the path and query of a signed link (http::signed_file_path).
    std::function<std::string(const JobRef&, std::int64_t expires_ms, std::string_view signature)> path;
  };
  explicit SignedUrls(Options options) : options_(std::move(options)) {}

  /// The host's URL where no public_url is configured.
  void set_own_url(std::string url) { own_url_ = std::move(url); }

  /// A signed link to this host, or, in a shared folder, the file's place there.
  std::string url(const JobRef& job, const ResultFile& file) const;
  /// Implements gaur::LinkCheck.
  Status check(const JobRef& job, const std::string& expires, const std::string& signature, Time now) const;

 private:
  std::string sign(const JobRef& job, std::int64_t expires_ms) const;

  const Options options_;
  std::string own_url_;
};

/// Reads the secret that signs links. With `create` a missing file is created with a random secret: links
/// then outlive restarts. Errors: kIo; kInvalidArgument (shorter than 32 bytes).
Result<std::string> load_link_secret(const std::filesystem::path& file, bool create);

}  // namespace gaur::results
