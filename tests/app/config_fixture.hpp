#pragma once
// A working folder with a gaur.toml in it, for tests of the configuration.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/config/config.hpp"
#include "app/config/layers.hpp"

namespace gaur::app {

class ConfigTest : public testing::Test {
 protected:
  ConfigTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    layers_.folder = folder_;
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  Config make() {
    settings_ = load(layers_);
    return make_config(settings_, folder_,
                       {.cores = 24, .memory_bytes = 128'000'000'000, .cores_from = {}, .memory_from = {}},
                       "host1");
  }
  /// The problems as lines, sorted as they are printed.
  std::vector<std::string> problems() {
    make();
    std::vector<Problem> found = settings_.problems();
    sort(found);
    std::vector<std::string> lines;
    for (const Problem& problem : found) lines.push_back(to_string(problem));
    return lines;
  }

  std::filesystem::path folder_;
  Layers layers_;
  Settings settings_;
};

}  // namespace gaur::app
