#include "http/tls_io.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/verify_context.hpp>

#include "base/try.hpp"

namespace gaur::http {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

using Certificate = std::shared_ptr<X509>;

Error unusable(std::string_view what, const std::filesystem::path& file, const std::string& why) {
  return Error{Errc::kInvalidArgument, fmt::format("cannot use {} as {}: {}", file.string(), what, why)};
}

/// Accepts a peer whose certificate is `own`, and else only what OpenSSL accepts.
void accept_own(ssl::context& context, const Certificate& own) {
  error_code ignored;
  context.set_verify_callback(
      [own](bool accepted, ssl::verify_context& peer) {
        const X509* certificate = X509_STORE_CTX_get0_cert(peer.native_handle());
        return accepted || (certificate != nullptr && X509_cmp(certificate, own.get()) == 0);
      },
      ignored);
}

/// Reads certificate and key.
Status load_identity(ssl::context& context, const TlsFiles& files) {
  context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                      ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  error_code error;
  context.use_certificate_chain_file(files.certificate.string(), error);
  if (error) return unusable("a certificate", files.certificate, error.message());
  context.use_private_key_file(files.key.string(), ssl::context::pem, error);
  if (error) return unusable("the key of " + files.certificate.string(), files.key, error.message());
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return unusable("the key of " + files.certificate.string(), files.key,
                    "it belongs to another certificate");
  return ok();
}

}  // namespace

Result<TlsContext> make_server_context(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);  // shared with connections
  GAUR_CHECK(load_identity(*context, files));
  if (files.client_ca.empty()) return context;
  GAUR_TRY(const Certificate own, read_certificate(files.certificate));
  error_code error;
  context->load_verify_file(files.client_ca.string(), error);
  if (error) return unusable("the authority of client certificates", files.client_ca, error.message());
  SSL_CTX_set_client_CA_list(context->native_handle(), SSL_load_client_CA_file(files.client_ca.c_str()));
  // Without it OpenSSL rejects a resumed session of a server that verifies clients.
  constexpr unsigned char kSessions[] = "gaur";
  SSL_CTX_set_session_id_context(context->native_handle(), kSessions, sizeof kSessions - 1);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  accept_own(*context, own);
  return context;
}

Status check_tls_files(const TlsFiles& files) {
  const auto made = make_server_context(files);
  return made ? ok() : Status(made.error());
}

Result<TlsContext> make_pinned_context(const TlsFiles& files) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  GAUR_CHECK(load_identity(*context, files));
  GAUR_TRY(const Certificate own, read_certificate(files.certificate));
  error_code error;
  context->set_verify_mode(ssl::verify_peer, error);
  accept_own(*context, own);
  return context;
}

}  // namespace gaur::http
