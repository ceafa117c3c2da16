#pragma once
// The files of a server's TLS. Thread-safety: a value.
#include <filesystem>

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

}  // namespace gaur::http
