#include "http/tls_files.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace gaur::http {

Result<std::shared_ptr<X509>> read_certificate(const std::filesystem::path& file) {
  const std::unique_ptr<BIO, int (*)(BIO*)> input(BIO_new_file(file.c_str(), "r"), BIO_free);
  if (!input) return Error{Errc::kIo, fmt::format("cannot read {}", file.string())};
  std::shared_ptr<X509> found(PEM_read_bio_X509(input.get(), nullptr, nullptr, nullptr), X509_free);
  if (!found)
    return Error{Errc::kInvalidArgument,
                 fmt::format("cannot use {} as a certificate: it contains none in PEM", file.string())};
  return found;
}

Result<Time> end_of_certificate(const std::filesystem::path& file) {
  const auto certificate = read_certificate(file);
  if (!certificate) return certificate.error();
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate->get()), &parts) != 1)
    return Error{Errc::kInvalidArgument, fmt::format("the certificate {} has no valid end", file.string())};
  return from_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

}  // namespace gaur::http
