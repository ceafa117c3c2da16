#pragma once
// The files of a server's TLS. Thread-safety: a value, and pure functions.
#include <openssl/types.h>

#include <filesystem>
#include <memory>

#include "gaur/names.hpp"
#include "gaur/result.hpp"

namespace gaur::http {

/// In PEM.
struct TlsFiles {
  /// The server's certificate, and below it those of its chain; "": no TLS.
  std::filesystem::path certificate;
  std::filesystem::path key;
  /// Authorities of client certificates. Clients must then have one; "": they need none.
  std::filesystem::path client_ca;

  bool on() const { return !certificate.empty(); }
  bool operator==(const TlsFiles&) const = default;
};

/// The first certificate of a file. Errors: kIo, kInvalidArgument, with the path.
Result<std::shared_ptr<X509>> read_certificate(const std::filesystem::path& file);
/// Errors: those of a server that would start with these files (make_server_context()).
Status check_tls_files(const TlsFiles& files);
/// When it expires. Errors: the same.
Result<Time> end_of_certificate(const std::filesystem::path& file);

}  // namespace gaur::http
