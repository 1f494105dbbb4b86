#include "portal/cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/version.hpp"
#include "portal/cli/help_text.hpp"

namespace portunus::portal::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(PortalCommandLine, S1_only_words_of_ours_are_no_url) {
  for (const char* word : {"help", "--help", "-h"}) EXPECT_EQ(choose_action(word), Action::help);
  for (const char* word : {"version", "--version", "-v"}) {
    EXPECT_EQ(choose_action(word), Action::version);
  }
  EXPECT_EQ(choose_action("connect"), Action::connect);
  for (const char* word : {"", "portal://k@:1", "Help", "-V", "--connect", " help"}) {
    EXPECT_EQ(choose_action(word), Action::serve) << word;
  }
  EXPECT_EQ(choose_action(std::nullopt), Action::serve);
}

TEST(PortalCommandLine, S1_version_line) {
  EXPECT_THAT(version_line(),
              MatchesRegex("portunus-portal-v" + std::string(kVersion) + " linux/[a-z0-9_]+"));
}

TEST(PortalCommandLine, S1_what_the_help_must_say) {
  for (const char* part : {"Usage:", "portunus-portal <portal-url>", "-h, --help", "-v, --version",
                           "portal://<shared-key>@<listen-host>:<listen-port>", "tls=1|2",
                           "net=mix|tcp|udp", "rate=<mbps>", "etar=<mbps>", "UDP-over-TCP (UoT)",
                           "NOW_QUIC_MAX_STREAMS", "NOW_HANDSHAKE_TIMEOUT",
                           "Password credentials are not supported.", "tls=0 is not supported."}) {
    EXPECT_THAT(std::string(help_text()), HasSubstr(part));
  }
  EXPECT_TRUE(help_text().ends_with('\n'));
}

TEST(PortalCommandLine, S15_the_help_names_every_variable_and_parameter) {
  for (const char* part : {"NOW_TCP_DATA_BUF_SIZE", "NOW_UDP_DATA_BUF_SIZE", "NOW_TCP_DIAL_TIMEOUT",
                           "NOW_UDP_DIAL_TIMEOUT", "NOW_TCP_READ_TIMEOUT", "NOW_UDP_IDLE_TIMEOUT",
                           "NOW_REPORT_INTERVAL", "NOW_SHUTDOWN_TIMEOUT", "NOW_RELOAD_INTERVAL",
                           "NOW_SERVICE_COOLDOWN", "NO_COLOR",
                           "  spec=", "  alpn=", "  dial=", "  crt=", "  key=", "  log="}) {
    EXPECT_THAT(std::string(help_text()), HasSubstr(part));
  }
}

}  // namespace
}  // namespace portunus::portal::cli
