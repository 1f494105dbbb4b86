// The command line of `portunus-portal connect`; the rules behind it are portal 18's.
#include "portal/cli/connect_options.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace portunus::portal::cli {
namespace {

struct Parsed {
  std::variant<ConnectOptions, ConnectDone> result;
  std::string out;
  std::string err;

  const ConnectOptions& options() const { return std::get<ConnectOptions>(result); }
  int exit_code() const { return std::get<ConnectDone>(result).exit_code; }
};

Parsed parse(std::vector<const char*> words) {
  words.insert(words.begin(), {"portunus-portal", "connect"});
  std::ostringstream out;
  std::ostringstream err;
  auto result = parse_connect(static_cast<int>(words.size()), words.data(), out, err);
  return {std::move(result), out.str(), err.str()};
}

std::vector<const char*> with(std::vector<const char*> more) {
  more.insert(more.begin(), {"portal://k@h:1", "--listen", "127.0.0.1:0", "--target", "x.test:80"});
  return more;
}

TEST(ConnectOptions, LeastThatIsNeeded) {
  const Parsed parsed = parse(with({}));
  ASSERT_TRUE(std::holds_alternative<ConnectOptions>(parsed.result)) << parsed.err;
  EXPECT_EQ(parsed.options().url, "portal://k@h:1");
  EXPECT_EQ(parsed.options().listen, "127.0.0.1:0");
  EXPECT_EQ(parsed.options().target, "x.test:80");
  EXPECT_FALSE(parsed.options().udp);
  EXPECT_FALSE(parsed.options().insecure);
  EXPECT_FALSE(parsed.options().pin);
  EXPECT_EQ(parsed.options().pool, 5U);
}

TEST(ConnectOptions, CarrierFollowsWhatIsForwarded) {
  EXPECT_EQ(parse(with({})).options().effective_carrier(), Carrier::tcp);
  EXPECT_EQ(parse(with({"--udp"})).options().effective_carrier(), Carrier::quic);
  EXPECT_EQ(parse(with({"--carrier", "quic"})).options().effective_carrier(), Carrier::quic);
  EXPECT_EQ(parse(with({"--udp", "--carrier", "tcp"})).options().effective_carrier(), Carrier::tcp);
}

TEST(ConnectOptions, AnEmptyValueDoesNotTakeTheNextWord) {
  for (const auto& words : {std::vector{"--pin=", "--udp"}, {"--pin", "", "--udp"}}) {
    const Parsed parsed = parse(with(words));
    ASSERT_TRUE(std::holds_alternative<ConnectOptions>(parsed.result)) << parsed.err;
    EXPECT_EQ(parsed.options().pin, "");
    EXPECT_TRUE(parsed.options().udp);
  }
}

TEST(ConnectOptions, WrongUseIsStatus2AndNamesTheOption) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> cases = {
      {{}, "url"},
      {{"portal://k@h:1", "--target", "x:1"}, "--listen"},
      {{"portal://k@h:1", "--listen", "127.0.0.1:0"}, "--target"},
      {with({"--carrier", "sctp"}), "--carrier"},
      {with({"--pool", "10"}), "--pool"},
      {with({"--insecure=false"}), "false"},
      {with({"--pool", "-1"}), "--pool"},
      {with({"--pin", "00", "--insecure"}), "--insecure"},
      {with({"--unheard-of"}), "--unheard-of"},
      {with({"second"}), "second"},
  };
  for (const auto& [words, named] : cases) {
    const Parsed parsed = parse(words);
    ASSERT_TRUE(std::holds_alternative<ConnectDone>(parsed.result)) << named;
    EXPECT_EQ(parsed.exit_code(), 2) << named;
    EXPECT_NE(parsed.err.find(named), std::string::npos) << parsed.err;
    EXPECT_EQ(parsed.out, "");
  }
}

TEST(ConnectOptions, HelpGoesToStandardOutput) {
  const Parsed parsed = parse({"--help"});
  EXPECT_EQ(parsed.exit_code(), 0);
  EXPECT_NE(parsed.out.find("Examples:"), std::string::npos);
  EXPECT_NE(parsed.out.find("portunus-portal connect"), std::string::npos);
  EXPECT_EQ(parsed.err, "");
}

}  // namespace
}  // namespace portunus::portal::cli
