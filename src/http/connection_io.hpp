#pragma once
// One client's connection: reads a request, passes it to the Service, writes the answer, reads the next. One
// request at a time: pipelined requests stay in the socket or in the buffer until the previous answer is
// written. Thread-safety: confined to the server's thread, except the reply callbacks.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/service.hpp"
#include "http/tls_io.hpp"

namespace gaur::http {

class Connection;

/// What the connections of a server share. Each connection owns a reference, so that it outlives them.
struct ServerCore {
  explicit ServerCore(HttpLimits l, const Clock& c) : limits(l), clock(c) {}
  const HttpLimits limits;
  const Clock& clock;
  boost::asio::io_context io{1};
  /// Once it is set, no more tasks run.
  std::atomic<bool> closed{false};
  /// nullptr once the server stopped.
  Service* service = nullptr;
  std::set<std::shared_ptr<Connection>> connections;
  /// Of `connections`, those beyond a limit, oldest first. They are answered 503, but GET /healthz.
  std::vector<Connection*> surplus;
  /// Of `connections` without `surplus`, by ConnectionOptions::counted_as.
  std::map<std::string, std::uint32_t> by_address;
  /// Bytes of the bodies that all connections are receiving.
  std::size_t body_bytes = 0;
};

struct ConnectionOptions {
  /// Address, or network, that the connection counts for; "": none.
  std::string counted_as;
  /// Beyond a limit.
  bool surplus = false;
  /// nullptr: no TLS.
  TlsContext tls;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerCore> core, boost::asio::ip::tcp::socket socket,
             ConnectionOptions options);
  ~Connection();
  void start();
  /// Ends the operation that exceeds its deadline.
  void check_deadline(Instant now);
  /// The server stops: idle connections end now, others after their answer.
  void finish_soon();
  /// The reply has not arrived in time: responds that the client should try again.
  void give_up_answer();
  void close();

 private:
  enum class Phase : std::uint8_t { kIdle, kHead, kBody, kAnswering, kWriting, kClosed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  template <class Buffers, class Handler>
  void async_write(const Buffers& buffers, Handler handler);
  void send_continue();
  void read();
  void on_read(std::size_t bytes);
  void process();
  void process_head();
  void begin_request(bool too_large);
  void reject(Response response);
  void process_body();
  void dispatch();
  Request head_of_request() const;
  void reply_with(const Problem& problem);
  void reply(Response response);
  void write_next();
  void on_written(std::size_t bytes);
  bool next_piece();
  void answer_written();
  void end_tls();
  void allow(Duration duration);
  void release_body();

  std::shared_ptr<ServerCore> core_;  // shared: the last connection may end after the server
  boost::asio::ip::tcp::socket socket_;
  const ConnectionOptions options_;
  /// Over socket_; nothing without TLS.
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  std::string remote_;
  Phase phase_ = Phase::kIdle;
  std::optional<Instant> deadline_;
  std::uint64_t requests_ = 0;
  /// A read is in progress; also while answering, to detect a closed connection.
  bool reading_ = false;
  /// Authorized by its head; its body is not complete.
  ExchangePtr opened_;
  /// Of the request that is being handled.
  std::weak_ptr<Exchange> exchange_;
  /// Which reply is awaited; a late or second one is dropped.
  std::uint64_t answer_number_ = 0;

  /// Received, not yet consumed.
  std::string in_;
  /// The bytes of in_ that were searched for the end of the head.
  std::size_t scanned_ = 0;
  std::array<char, 16 << 10> chunk_{};
  std::optional<Parser> parser_;
  /// This connection's part of core_->body_bytes.
  std::size_t booked_ = 0;
  /// The method is HEAD.
  bool head_only_ = false;
  bool close_after_ = false;
  /// "100 Continue" is being written, and an answer waits for its end.
  bool continuing_ = false, answer_waits_ = false;
  /// Unread bytes of a rejected request may still arrive.
  bool linger_ = false;

  /// The piece that is being written.
  std::string out_;
  std::size_t out_at_ = 0;
  std::optional<FileSlice> file_;
  int file_descriptor_ = -1;
  std::shared_ptr<BodyStream> stream_;
};

}  // namespace gaur::http
