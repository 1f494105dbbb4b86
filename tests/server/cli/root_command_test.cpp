#include "server/cli/root_command.hpp"

#include "common/base/version.hpp"
#include "tests/server/cli/cli_fixture.hpp"

namespace portunus::server::cli {
namespace {

using RootCommandTest = CliTest;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(RootCommandTest, VersionIsOneLineAtTopLevelOnly) {
  const std::string line = "portunus-server " + std::string(kVersion) + "\n";
  expect(run({"--version"}), 0, line, "");
  expect(run({"-V"}), 0, line, "");
  EXPECT_EQ(run({"list-rules", "--version"}).exit, 2);
  EXPECT_EQ(run({"list-rules", "-V"}).exit, 2);
}

TEST_F(RootCommandTest, HelpTeachesOnStdout) {
  for (const auto& line : {std::vector<std::string>{"--help"}, {"-h"}, {"help"}}) {
    const Ran ran = run(line);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_TRUE(has(ran.out, "Portunus control plane")) << ran.out;
    EXPECT_TRUE(has(ran.out, "enroll-client")) << ran.out;
  }
  for (const char* command : {"serve", "gen-token", "bootstrap-superadmin", "enroll-client",
                              "revoke", "list-clients", "rename-client", "push-rule", "remove-rule",
                              "list-rules", "rule-stats", "backup", "restore", "reset"}) {
    const Ran ran = run({command, "--help"});
    EXPECT_EQ(ran.exit, 0) << command;
    EXPECT_TRUE(has(ran.out, std::string("portunus-server ") + command)) << ran.out;
    EXPECT_TRUE(has(ran.out, "Example")) << ran.out;
    EXPECT_EQ(run({"help", command}).out, ran.out);
    EXPECT_EQ(run({command, "-h"}).out, ran.out);
  }
}

TEST_F(RootCommandTest, WithoutACommandTheHelpIsAnError) {
  const Ran ran = run({});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(has(ran.err, "Portunus control plane"));
  EXPECT_EQ(run({"--data-dir", "/x"}).exit, 2);
}

TEST_F(RootCommandTest, UsageErrorsExitTwoWithTextOnStderr) {
  for (const auto& line : std::vector<std::vector<std::string>>{
           {"nonsense"},
           {"--nonsense"},
           {"help", "nonsense"},
           {"-x", "gen-token"},
           {"gen-token", "extra"},
           {"gen-token", "list-rules"},
           {"gen-token", "--format", "json"},
           {"--format", "json", "list-rules"},
           {"--data", "/x", "gen-token"},  // no abbreviations
           {"list-rule"},
           {"list-rules", "--form", "json"},
           {"list-rules", "--format", "yaml"},
           {"list-rules", "--format"},
           {"list-rules", "--format="},
           {"list-rules", "--format", "json", "--format", "text"},
           {"list-rules", "--http-endpoint", "localhost"},
           {"list-rules", "--http-endpoint", "localhost:0"},
           {"list-rules", "--http-endpoint", "[localhost]:80"},
           {"list-rules", "--http-endpoint", "http://localhost:80"},
           {"enroll-client"},
           {"enroll-client", "a", "b"},
           {"enroll-client", "a", "--ttl-secs", "ten"},
           {"enroll-client", "a", "--ttl-secs", "-1"},
           {"enroll-client", "a", "--ttl-secs", "0x10"},
           {"enroll-client", "a", "--ttl-secs", "18446744073709551616"},
           {"enroll-client", "a", "--reissue=false"},
           {"revoke"},
           {"rename-client", "--client-id", "e"},
           {"rename-client", "--name", "e"},
           {"remove-rule"},
           {"remove-rule", "seven"},
           {"remove-rule", "--", "-7"},
           {"rule-stats", "7", "--per-port=yes"},
           {"push-rule"},
           {"push-rule", "edge"},
           {"push-rule", "edge", "80", "h:1", "extra"},
           {"push-rule", "edge", "80", "--target", "h:1", "--targets-json", "[]"},
           {"push-rule", "edge", "80", "h:1", "--new-connections-per-sec", "4294967296"},
           {"push-rule", "edge", "80", "h:1", "--ack-timeout", "1.5"},
           {"user-add", "alice"},
           {"audit", "prune"},
           {"audit", "prune", "--before"},
           {"audit", "prune", "--before", "2026-01-01T00:00:00Z", "--dry-run=yes"},
           {"audit", "list"},
           {"backup"},
           {"backup", "/x"},
           {"backup", "--out"},
           {"restore"},
           {"restore", "--force"},
           {"restore", "--in", "/x", "--force=yes"},
           {"reset", "now"},
           {"reset", "--confirm", "yes"},
           {"owner-cap", "list"},
           {"owner-cap", "get", "edge"},
           {"owner-cap", "caps", "edge"}}) {
    const Ran ran = run(line);
    EXPECT_EQ(ran.exit, 2) << ::testing::PrintToString(line) << ran.err;
    EXPECT_EQ(ran.out, "") << ::testing::PrintToString(line);
    EXPECT_TRUE(ran.err.starts_with("error: ")) << ::testing::PrintToString(line) << ran.err;
  }
}

TEST_F(RootCommandTest, TextOfTheOperatorCannotDriveTheTerminal) {
  const Ran ran = run({"bad\x1b[2J\nname"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_TRUE(has(ran.err, "bad\\x1b[2J\\x0aname")) << ran.err;
}

TEST_F(RootCommandTest, GlobalFlagsWorkBeforeAndAfterTheCommand) {
  EXPECT_EQ(run({"serve"}).exit, 42);
  EXPECT_EQ(served_->data_dir, std::nullopt);
  EXPECT_EQ(served_->advertised_endpoint, std::nullopt);
  EXPECT_EQ(served_->operator_http_listen, std::nullopt);

  run({"--data-dir", "/a", "--advertised-endpoint=e:1", "serve"});
  EXPECT_EQ(served_->data_dir, "/a");
  EXPECT_EQ(served_->advertised_endpoint, "e:1");

  run({"serve", "--advertised-endpoint", "e:2", "--operator-http-listen=[::1]:7", "--data-dir=/b"});
  EXPECT_EQ(served_->data_dir, "/b");
  EXPECT_EQ(served_->advertised_endpoint, "e:2");
  EXPECT_EQ(served_->operator_http_listen, "[::1]:7");

  run({"--data-dir", "/a", "serve", "--data-dir", "/b"});
  EXPECT_EQ(served_->data_dir, "/b");
}

TEST_F(RootCommandTest, AnEmptyAdvertisedEndpointIsNotTheNextArgument) {
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"--advertised-endpoint=", "serve"},
                                             {"--advertised-endpoint", "", "serve"},
                                             {"serve", "--advertised-endpoint="}}) {
    served_.reset();
    EXPECT_EQ(run(line).exit, 42);
    ASSERT_TRUE(served_);
    EXPECT_EQ(served_->advertised_endpoint, "");
  }
}

TEST_F(RootCommandTest, TwoDashesEndTheFlags) {
  const Ran ran = run_in_dir({"revoke", "--", "--help"});
  EXPECT_EQ(ran.exit, 3) << ran.err;
  EXPECT_EQ(ran.err, "error: invalid_name: \"--help\"\n");
}

TEST_F(RootCommandTest, ANameOfACommandIsAlsoAClientName) {
  for (const char* name : {"serve", "help", "revoke", "list-rules"}) {
    expect(run_in_dir({"revoke", name}), 0, "", "");
  }
}

}  // namespace
}  // namespace portunus::server::cli
