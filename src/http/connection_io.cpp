#include "http/connection_io.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "base/files.hpp"
#include "http/values.hpp"
#include "http/wire.hpp"

namespace gaur::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::size_t kMostUndigested = 16 << 10;  // of unfinished chunk headers and trailers
constexpr std::size_t kMostSentAhead = 16 << 10;   // kept of pipelined requests
constexpr std::size_t kFilePiece = 256 << 10;
constexpr std::uint64_t kSlowestClient = 64 << 10;  // bytes a second, for answers above a few kilobytes
constexpr Duration kLinger{1'000};
constexpr Duration kSurplusDeadline{1'000};  // for the whole request of a connection beyond a limit

Problem too_many_connections() {
  Problem problem = make_problem(503, "too_many_connections",
                                 "the server, or this address, has reached its limit of connections "
                                 "(server.max_connections, server.max_connections_per_address)");
  problem.headers.push_back({"Retry-After", "1"});
  return problem;
}

Problem body_too_large(const HttpLimits& limits) {
  return make_problem(413, "too_large", "the body has more than " + std::to_string(limits.body) + " bytes");
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, asio::ip::tcp::socket socket,
                       ConnectionOptions options)
    : core_(std::move(core)), socket_(std::move(socket)), options_(std::move(options)) {}

Connection::~Connection() {
  if (file_descriptor_ >= 0) ::close(file_descriptor_);
}

void Connection::start() {
  core_->connections.insert(shared_from_this());
  if (options_.surplus) core_->surplus.push_back(this);
  if (!options_.surplus && !options_.counted_as.empty()) ++core_->by_address[options_.counted_as];
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto peer = socket_.remote_endpoint(ignored);
  remote_ = peer.address().to_string();
  allow(options_.surplus ? kSurplusDeadline : core_->limits.header_deadline);
  if (!options_.tls) return read();
  tls_.emplace(socket_, *options_.tls);
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code error) {
    if (self->phase_ == Phase::kClosed) return;
    error ? self->close() : self->read();
  });
}

template <class Buffers, class Handler>
void Connection::async_write(const Buffers& buffers, Handler handler) {
  tls_ ? asio::async_write(*tls_, buffers, std::move(handler))
       : asio::async_write(socket_, buffers, std::move(handler));
}

/// An answer that is ready meanwhile is written after it.
void Connection::send_continue() {
  continuing_ = true;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  async_write(asio::buffer(kContinue), [self = shared_from_this()](error_code error, std::size_t) {
    self->continuing_ = false;
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->close();
    if (std::exchange(self->answer_waits_, false)) self->write_next();
  });
}

void Connection::allow(Duration duration) {
  deadline_ = core_->clock.now() + duration;
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  release_body();
  opened_.reset();
  if (stream_) stream_->disconnect();
  stream_.reset();
  if (const auto exchange = exchange_.lock()) {
    exchange->wait_ticket.reset();
    exchange->disconnected.request_stop();
  }
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
  std::erase(core_->surplus, this);
  if (const auto counted = core_->by_address.find(options_.counted_as);
      !options_.surplus && counted != core_->by_address.end() && --counted->second == 0)
    core_->by_address.erase(counted);
  core_->connections.erase(shared_from_this());
}

void Connection::check_deadline(Instant now) {
  if (!deadline_ || now < *deadline_) return;
  deadline_.reset();
  const bool reading = phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody;
  if (options_.surplus && reading) return reply_with(too_many_connections());
  if (phase_ == Phase::kHead && !in_.empty()) {
    return reply_with(make_problem(408, "request_timeout", "the headers did not arrive in time"));
  }
  if (phase_ == Phase::kBody)
    return reply_with(make_problem(408, "request_timeout", "the body did not arrive in time"));
  if (phase_ != Phase::kAnswering) close();
}

void Connection::finish_soon() {
  close_after_ = true;
  if (phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody || stream_) close();
}

void Connection::give_up_answer() {
  if (phase_ != Phase::kAnswering) return;
  if (const auto exchange = exchange_.lock()) {
    if (exchange->adding) return;  // whether the jobs are added is not known yet
    if (exchange->receipt) {
      close_after_ = true;
      return reply(*std::move(exchange->receipt));
    }
  }
  reply_with(make_problem(503, "stopping", "this host is stopping; request the job again later"));
}

// ---- reading ---------------------------------------------------------------------------------

void Connection::read() {
  if (phase_ == Phase::kClosed || reading_) return;
  const bool ahead = phase_ == Phase::kAnswering || phase_ == Phase::kWriting;
  if (ahead && in_.size() > kMostSentAhead) return;
  reading_ = true;
  auto done = [self = shared_from_this()](error_code error, std::size_t bytes) {
    self->reading_ = false;
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->close();
    self->on_read(bytes);
  };
  tls_ ? tls_->async_read_some(asio::buffer(chunk_), std::move(done))
       : socket_.async_read_some(asio::buffer(chunk_), std::move(done));
}

void Connection::on_read(std::size_t bytes) {
  if (linger_) return read();  // discards what follows a rejected request
  in_.append(chunk_.data(), bytes);
  if (phase_ == Phase::kAnswering || phase_ == Phase::kWriting)
    return read();  // the next request waits for this answer
  process();
}

void Connection::process() {
  if (phase_ == Phase::kIdle && !in_.empty()) {
    phase_ = Phase::kHead;
    scanned_ = 0;
    if (requests_ > 0) allow(core_->limits.header_deadline);
  }
  if (phase_ == Phase::kHead) return process_head();
  if (phase_ == Phase::kBody) return process_body();
  if (phase_ == Phase::kIdle) read();
}

void Connection::process_head() {
  const std::size_t end = in_.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
  if (end == std::string::npos) {
    if (const auto problem = check_partial_head(in_, core_->limits)) return reply_with(*problem);
    scanned_ = in_.size();
    return read();
  }
  const std::size_t length = end + 4;
  if (const auto problem = check_head(std::string_view(in_).substr(0, length), core_->limits))
    return reply_with(*problem);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->limits.headers + core_->limits.request_line + 64));
  parser_->body_limit(core_->limits.body);
  parser_->eager(true);
  error_code error;
  const std::size_t used = parser_->put(asio::buffer(in_.data(), length), error);
  in_.erase(0, used);
  const bool too_large = error == beast::http::error::body_limit;
  if (error && !too_large && error != beast::http::error::need_more)
    return reply_with(make_problem(400, "bad_request", "headers: " + error.message()));
  begin_request(too_large);
}

/// The whole head has arrived. Unauthorized requests are rejected now, even if bytes of the body came with
/// it.
void Connection::begin_request(bool too_large) {
  ++requests_;
  head_only_ = parser_->get().method() == beast::http::verb::head;
  if (parser_->get().version() < 11 || !parser_->get().keep_alive()) close_after_ = true;
  if (requests_ >= core_->limits.requests_a_connection) close_after_ = true;
  if (core_->service == nullptr) return close();
  auto opened = core_->service->open(head_of_request());
  if (options_.surplus) {
    close_after_ = true;
    const bool health = opened && (*opened)->route->pattern == "/healthz";
    if (!health) return reject(to_response(too_many_connections()));
  }
  if (!opened) return reject(std::move(opened.error()));
  if (too_large) return reply_with(body_too_large(core_->limits));
  opened_ = *std::move(opened);
  phase_ = Phase::kBody;
  allow(options_.surplus ? kSurplusDeadline : core_->limits.body_deadline);
  if (parser_->is_done()) return dispatch();
  if (in_.empty() && opened_->request.header("expect") != nullptr) send_continue();
  process_body();
}

/// Answers by the head alone. A body that has arrived is discarded. Otherwise the connection ends, because
/// unauthorized clients could keep it busy with an unwanted body.
void Connection::reject(Response response) {
  if (!parser_->is_done()) {
    // Beast knows the length only after it parsed the whole head, which it does not if the body is too large.
    const auto rest = parser_->is_header_done() ? parser_->content_length_remaining() : boost::none;
    if (rest && *rest <= in_.size()) {
      in_.erase(0, static_cast<std::size_t>(*rest));
    } else {
      linger_ = close_after_ = true;
      in_.clear();
    }
  }
  parser_.reset();
  phase_ = Phase::kAnswering;
  reply(std::move(response));
}

void Connection::process_body() {
  std::size_t used = 0;
  error_code error;
  while (used < in_.size() && !parser_->is_done()) {
    const std::size_t more = parser_->put(asio::buffer(in_.data() + used, in_.size() - used), error);
    used += more;
    if (error || more == 0) break;
  }
  in_.erase(0, used);
  core_->body_bytes += used;
  booked_ += used;
  if (error == beast::http::error::body_limit) return reply_with(body_too_large(core_->limits));
  if (error && error != beast::http::error::need_more)
    return reply_with(make_problem(400, "bad_request", "body: " + error.message()));
  if (parser_->is_done()) return dispatch();
  if (in_.size() > kMostUndigested)
    return reply_with(
        make_problem(400, "bad_request", "body: a chunk's header or the trailers are too long"));
  if (core_->body_bytes > core_->limits.body_memory) {
    return reply_with(
        make_problem(503, "overloaded", "too many large bodies at the same time; try again in a moment"));
  }
  read();
}

void Connection::release_body() {
  core_->body_bytes -= booked_;
  booked_ = 0;
}

// ---- answering -------------------------------------------------------------------------------

Request Connection::head_of_request() const {
  const auto& message = parser_->get();
  Request request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    request.headers.push_back({lower(std::string_view(field.name_string())), std::string(field.value())});
  }
  request.remote = remote_;
  return request;
}

void Connection::dispatch() {
  phase_ = Phase::kAnswering;
  deadline_.reset();  // the handlers have their own limits
  const ExchangePtr exchange = std::exchange(opened_, nullptr);
  exchange->request.body = std::move(parser_->get().body());
  parser_.reset();
  release_body();
  if (core_->service == nullptr) return close();
  auto answer = [weak = weak_from_this(), core = core_, number = ++answer_number_](Response response) {
    if (core->closed) return;
    // Most handlers answer on this thread. Posting to the queue keeps the stack flat.
    auto held = std::make_shared<Response>(std::move(response));
    asio::post(core->io, [weak, held, number] {
      const auto self = weak.lock();
      const bool awaited = self && self->phase_ == Phase::kAnswering && self->answer_number_ == number;
      if (awaited) self->reply(std::move(*held));
    });
  };
  exchange_ = exchange;
  core_->service->handle(exchange, std::move(answer));
  read();  // detects a client that closes the connection
}

/// After these errors the start of the next request is unknown: the connection ends.
void Connection::reply_with(const Problem& problem) {
  linger_ = phase_ != Phase::kAnswering;
  parser_.reset();
  opened_.reset();
  release_body();
  close_after_ = true;
  head_only_ = false;
  phase_ = Phase::kAnswering;
  reply(to_response(problem));
}

void Connection::reply(Response response) {
  std::optional<std::uint64_t> length = response.body.size();
  if (response.file) {
    constexpr int kOwnParts = 2;  // the folder of the queue, the file
    auto opened = open_own(response.file->path, kOwnParts, O_RDONLY | O_NONBLOCK);
    file_descriptor_ = opened ? opened->release() : -1;
    if (file_descriptor_ < 0) {
      response = to_response(make_problem(410, "gone", "the result file is gone: it expired or was removed"));
      length = response.body.size();
    } else {
      file_ = response.file;
      length = file_->length;
    }
  }
  stream_ = response.stream;
  if (stream_) {
    length.reset();
    close_after_ = true;  // it ends with the stream
  }
  out_ = render_head(response, length, close_after_, core_->clock.wall());
  out_at_ = 0;
  const bool bodiless = head_only_ || response.status == 204 || response.status == 304;
  if (bodiless) {
    file_.reset();
    stream_.reset();
  } else if (!file_ && !stream_) {
    out_ += response.body;
  }
  phase_ = Phase::kWriting;
  const std::uint64_t size = out_.size() + (file_ ? file_->length : 0);
  allow(core_->limits.write_deadline + Duration(static_cast<std::int64_t>(size * 1'000 / kSlowestClient)));
  write_next();
}

void Connection::write_next() {
  if (phase_ == Phase::kClosed) return;
  if (continuing_) {
    answer_waits_ = true;
    return;
  }
  async_write(asio::buffer(out_), [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) return self->close();
    if (!self->next_piece()) self->answer_written();
  });
}

/// Sends the next piece of a file or stream; false when there is none.
bool Connection::next_piece() {
  if (file_ && file_->length > 0) {
    out_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kFilePiece, file_->length)));
    const ssize_t got =
        ::pread(file_descriptor_, out_.data(), out_.size(), static_cast<off_t>(file_->offset));
    if (got <= 0) {  // the file became shorter than its Content-Length
      close();
      return true;
    }
    out_.resize(static_cast<std::size_t>(got));
    file_->offset += static_cast<std::uint64_t>(got);
    file_->length -= static_cast<std::uint64_t>(got);
    write_next();
    return true;
  }
  if (!stream_) return false;
  deadline_.reset();  // until there is something to write
  stream_->read([weak = weak_from_this(), core = core_](std::optional<std::string> piece) {
    if (core->closed) return;
    asio::post(core->io, [weak, piece = std::move(piece)] {
      const auto self = weak.lock();
      if (!self || self->phase_ != Phase::kWriting) return;
      if (!piece) self->stream_.reset();
      self->out_ = piece ? fmt::format("{:x}\r\n{}\r\n", piece->size(), *piece) : "0\r\n\r\n";
      self->allow(self->core_->limits.write_deadline);
      self->write_next();
    });
  });
  return true;
}

/// Sends close_notify, so that the client knows that nothing is missing.
void Connection::end_tls() {
  phase_ = Phase::kIdle;
  linger_ = true;
  allow(kLinger);
  tls_->async_shutdown([self = shared_from_this()](error_code) { self->close(); });
}

void Connection::answer_written() {
  if (file_descriptor_ >= 0) ::close(std::exchange(file_descriptor_, -1));
  file_.reset();
  if (linger_) {
    // Closing now would reset the connection of a client that still sends and has not read the answer.
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    in_.clear();
    phase_ = Phase::kIdle;
    allow(kLinger);
    return read();
  }
  if (close_after_) return tls_ ? end_tls() : close();
  out_.clear();
  phase_ = Phase::kIdle;
  allow(core_->limits.idle_deadline);
  process();
}

}  // namespace gaur::http
