#pragma once
// TLS of the HTTP server and of the commands that send requests to it.
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "gaur/result.hpp"
#include "http/tls_files.hpp"

namespace gaur::http {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// A context for accepted connections: TLS 1.2 and 1.3. With a client_ca, a client needs a certificate of it,
/// or the server's own: commands on this machine that can read its key use that one. Errors: kIo,
/// kInvalidArgument (not a certificate, or a key of another one), with the file.
Result<TlsContext> make_server_context(const TlsFiles& files);

/// A context for a connection to the server that has these files: accepts its certificate only, whatever
/// name or expiry it has, and presents the same one. Errors: the same.
Result<TlsContext> make_pinned_context(const TlsFiles& files);

}  // namespace gaur::http
