#pragma once
// Requests and responses as plain values, which all code above the sockets uses.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaur/names.hpp"

namespace gaur::http {

struct Header {
  /// Lower case in requests; as written on the wire in responses.
  std::string name;
  std::string value;
};

struct Request {
  std::string method;
  /// As received, origin form.
  std::string target;
  std::vector<Header> headers;
  std::string body;
  /// The peer's address without its port.
  std::string remote;

  /// The value of the first header of this (lower case) name, or nullptr.
  const std::string* header(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return &header.value;
    }
    return nullptr;
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(), [name](const Header& h) { return h.name == name; }));
  }
};

/// A byte range of a file, sent as the body.
struct FileSlice {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A body in pieces: the connection requests the next piece when the previous one is written.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// `next` is called once, on any thread, with more text, or with nothing at the end.
  virtual void read(std::function<void(std::optional<std::string>)> next) = 0;
  /// The client has disconnected: `next` need not be called any more.
  virtual void disconnect() = 0;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::vector<Header> headers;
  std::string body;
  /// Instead of `body`.
  std::optional<FileSlice> file;
  /// Instead of `body`; shared with the connection that drains it.
  std::shared_ptr<BodyStream> stream;
  /// The connection is closed after this response.
  bool close = false;
};

/// Called exactly once, on any thread.
using Reply = std::function<void(Response)>;

}  // namespace gaur::http
