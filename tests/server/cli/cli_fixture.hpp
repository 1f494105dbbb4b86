#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "server/cli/context.hpp"
#include "server/cli/root_command.hpp"

namespace portunus::server::cli {

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

/// Runs command lines in this process, on a data directory and an environment of its own.
class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    std::string name = ::testing::TempDir() + "cli.XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~CliTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }

  Ran run(std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in(stdin_);
    Context context{.out = out,
                    .err = err,
                    .environment =
                        [this](const char* name) {
                          const auto found = variables_.find(name);
                          return found == variables_.end() ? std::optional<std::string>()
                                                           : found->second;
                        },
                    .clock = clock_,
                    .limits = limits_,
                    .serve =
                        [this](const ServeOptions& options) {
                          served_ = options;
                          return 42;
                        },
                    .in = &in,
                    .ask_secret = [this](std::string_view prompt) { return answer(prompt); }};
    const int exit = cli::run(std::move(arguments), context);
    return {exit, out.str(), err.str()};
  }
  /// With --data-dir in front.
  Ran run_in_dir(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--data-dir", dir_.string()});
    return run(std::move(arguments));
  }

  /// The next of the answers that a terminal gives.
  SecretInput answer(std::string_view prompt) {
    prompts_.emplace_back(prompt);
    if (answers_.empty()) return std::unexpected("nobody answers");
    SecretInput next = answers_.front();
    answers_.erase(answers_.begin());
    return next;
  }

  std::filesystem::path dir_;
  std::map<std::string, std::string> variables_;
  ManualClock clock_;
  ApiLimits limits_;
  std::optional<ServeOptions> served_;
  std::string stdin_;
  std::vector<SecretInput> answers_;
  std::vector<std::string> prompts_;
};

inline void expect(const Ran& ran, int exit, std::string_view out, std::string_view err) {
  EXPECT_EQ(ran.exit, exit) << ran.out << ran.err;
  EXPECT_EQ(ran.out, out);
  EXPECT_EQ(ran.err, err);
}

}  // namespace portunus::server::cli
