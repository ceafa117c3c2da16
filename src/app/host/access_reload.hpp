#pragma once
// Reloads the tokens and the TLS files of a running host from its configuration: on HUP, and when one of the
// files has changed. Thread-safety: confined to the main thread.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "app/commands/arguments.hpp"
#include "app/host/host.hpp"

namespace gaur::app {

class AccessReload {
 public:
  /// `running`: the configuration with which `host` was started. All three must outlive this object.
  AccessReload(Host& host, const Logger& log, const Loaded& running);

  /// Reads the whole configuration again. If it has a problem the old tokens stay. Only tokens are replaced;
  /// the log names the other keys that changed.
  void reload(const std::string& why);
  /// Reloads if one of the files is another file or has other content than before. Call it every few seconds.
  void check_files();

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = -1;
    std::int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::map<std::filesystem::path, Stamp>;
  static Stamps stamps_of(const std::vector<std::filesystem::path>& files);
  /// Those of the files as they were read: a file that changed after `begun` gets none, and is read again.
  static Stamps stamps_as_read(const std::vector<std::filesystem::path>& files, Time begun);
  static std::vector<std::filesystem::path> files_of(const Config& config);
  void reload_tokens(const Config& config);
  void reload_tls(const Config& config);
  void report_other_changes(const Settings& settings) const;

  Host& host_;
  const Logger& log_;
  const Loaded& running_;
  bool had_tokens_;
  std::vector<std::filesystem::path> files_;
  Stamps stamps_;
};

}  // namespace gaur::app
