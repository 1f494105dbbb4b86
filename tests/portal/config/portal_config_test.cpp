#include "portal/config/portal_config.hpp"

#include <gtest/gtest.h>

#include <string>

#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

Result<PortalConfig> read(const std::string& text) {
  auto url = PortalUrl::parse(text);
  if (!url) return fail(url.error());
  return read_portal_config(*url);
}

/// With the given query behind a good start.
Result<PortalConfig> query(const std::string& text) {
  return read("portal://secret@:2077?" + text);
}

std::error_code refused(const std::string& text) {
  const auto config = read(text);
  EXPECT_FALSE(config) << text;
  return config ? std::error_code() : config.error().code;
}

std::error_code refused_query(const std::string& text) {
  return refused("portal://secret@:2077?" + text);
}

TEST(PortalConfig, S2_1_defaults) {
  for (const char* text : {"portal://secret@:2077", "portal://secret@:2077?",
                           "portal://secret@:2077?tls=&spec=&alpn=&net=&dial=&rate=&etar=&log="}) {
    const auto config = read(text);
    ASSERT_TRUE(config) << text;
    EXPECT_EQ(config->key.reveal(), "secret");
    EXPECT_EQ(config->host, "");
    EXPECT_EQ(config->port, 2077);
    EXPECT_EQ(config->tls, TlsMode::self_signed);
    EXPECT_EQ(config->spec, "auto");
    EXPECT_EQ(config->alpn, "now/1");
    EXPECT_EQ(config->net, Net::mix);
    EXPECT_FALSE(config->dial);
    EXPECT_EQ(config->rate_mbps, 0U);
    EXPECT_EQ(config->etar_mbps, 0U);
  }
}

TEST(PortalConfig, S2_key_and_password) {
  EXPECT_EQ(read("portal://sec%20ret@:1")->key.reveal(), "sec ret");
  EXPECT_EQ(read("portal://a+b@:1")->key.reveal(), "a+b");
  EXPECT_EQ(read("portal://a@b@:1")->key.reveal(), "a@b");
  EXPECT_EQ(read("portal://secret:@:1")->key.reveal(), "secret");
  EXPECT_EQ(read("portal://50%@:1")->key.reveal(), "50%");
  EXPECT_EQ(read("portal://a%3Ab@:1")->key.reveal(), "a:b");
  EXPECT_TRUE(read("portal://" + std::string(255, 'k') + "@:1"));
  EXPECT_EQ(refused("portal://" + std::string(256, 'k') + "@:1"), Errc::bad_key);
  EXPECT_TRUE(read("portal://" + std::string(254, 'k') + "%41@:1"));
  EXPECT_EQ(refused("portal://@:1"), Errc::bad_key);
  EXPECT_EQ(refused("portal://:@:1"), Errc::bad_key);
  EXPECT_EQ(refused("portal://h:1"), Errc::bad_key);
  EXPECT_EQ(refused("portal://caf%E9@:1"), Errc::bad_key);
  EXPECT_EQ(refused("portal://secret:x@:1"), Errc::password_given);
  EXPECT_EQ(refused("portal://a:b@c@:1"), Errc::password_given);
  EXPECT_EQ(refused("portal://secret::@:1"), Errc::password_given);
}

TEST(PortalConfig, S2_port_and_scheme) {
  EXPECT_EQ(read("portal://k@h:0")->port, 0);
  EXPECT_EQ(refused("portal://k@h"), Errc::missing_port);
  EXPECT_EQ(refused("portal://k@h:"), Errc::missing_port);
  EXPECT_EQ(refused("portal://k@"), Errc::missing_port);
  EXPECT_EQ(refused("https://k@h:1"), Errc::bad_scheme);
}

TEST(PortalConfig, S2_1_tls) {
  EXPECT_EQ(query("tls=1")->tls, TlsMode::self_signed);
  const auto files = query("tls=2&crt=/a+b%2B.pem&key=/k.pem");
  ASSERT_TRUE(files);
  EXPECT_EQ(files->tls, TlsMode::pem_files);
  EXPECT_EQ(files->certificate_path, "/a b+.pem");
  EXPECT_EQ(files->key_path, "/k.pem");
  // Read only with tls=2; what is missing there is found unreadable when it is opened.
  EXPECT_EQ(query("crt=/x&key=/y")->certificate_path, "");
  EXPECT_EQ(query("tls=2")->certificate_path, "");
  for (const char* bad : {"0", "3", "01", "yes", "+1", "1+"}) {
    EXPECT_EQ(refused_query("tls=" + std::string(bad)), Errc::bad_tls) << bad;
  }
}

TEST(PortalConfig, S2_1_spec_and_alpn) {
  EXPECT_EQ(query("spec=edge+a")->spec, "edge+a");
  EXPECT_EQ(query("spec=edge%2Ba")->spec, "edge+a");
  EXPECT_EQ(query("spec=caf%C3%A9")->spec, "caf\xc3\xa9");
  EXPECT_EQ(query("alpn=h2")->alpn, "h2");
  for (const std::string name : {"spec", "alpn"}) {
    const auto bad = name == "spec" ? Errc::bad_spec : Errc::bad_alpn;
    EXPECT_TRUE(query(name + "=" + std::string(255, 'x')));
    EXPECT_EQ(refused_query(name + "=" + std::string(256, 'x')), bad);
    EXPECT_EQ(refused_query(name + "=caf%E9"), bad);
  }
  EXPECT_EQ(refused_query("caf%E9=1&alpn=x"), Errc::bad_spec);  // spec is looked for first
  EXPECT_EQ(refused_query("spec=x&caf%E9=1&alpn=x"), Errc::bad_alpn);
  EXPECT_TRUE(query("spec=x&alpn=y&caf%E9=1"));
}

TEST(PortalConfig, S2_1_net) {
  EXPECT_TRUE(query("net=mix")->wants_tcp() && query("net=mix")->wants_udp());
  EXPECT_TRUE(query("net=tcp")->wants_tcp() && !query("net=tcp")->wants_udp());
  EXPECT_TRUE(!query("net=udp")->wants_tcp() && query("net=udp")->wants_udp());
  for (const char* bad : {"auto", "TCP", "quic", "tcp,udp", "+tcp"}) {
    EXPECT_EQ(refused_query("net=" + std::string(bad)), Errc::bad_net) << bad;
  }
}

TEST(PortalConfig, S2_1_dial) {
  EXPECT_EQ(query("dial=192.0.2.1")->dial->address, net::IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(query("dial=2001:DB8::1")->dial->address, net::IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(query("dial=2001:DB8::1")->dial->text, "2001:DB8::1");
  // A mapped one is an IPv6 literal, and dials from the IPv4 address that it stands for.
  EXPECT_EQ(query("dial=::FFFF:127.0.0.1")->dial->address, net::IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(query("dial=::FFFF:127.0.0.1")->dial->text, "::FFFF:127.0.0.1");
  EXPECT_EQ(query("dial=::ffff:7f00:1")->dial->address, net::IpAddress::parse("127.0.0.1"));
  for (const char* other : {"auto", "localhost", "[::1]", "fe80::1%25lo", "1.2.3", "1.2.3.4:5",
                            "::ffff:127.0.0.1%00", "::ffff:127.0.0", "[::ffff:127.0.0.1]"}) {
    EXPECT_FALSE(query("dial=" + std::string(other))->dial) << other;
  }
}

TEST(PortalConfig, S2_1_rates) {
  EXPECT_EQ(query("rate=8")->rate_mbps, 8U);
  EXPECT_EQ(query("etar=2147483647")->etar_mbps, 2147483647U);
  EXPECT_EQ(query("rate=8")->etar_mbps, 0U);
  for (const char* bad : {"0", "-1", "2147483648", "ten", "1.5", "8%20", "8mbps", "0x8", "--1"}) {
    EXPECT_EQ(query("rate=" + std::string(bad))->rate_mbps, 0U) << bad;
    EXPECT_EQ(query("etar=" + std::string(bad))->etar_mbps, 0U) << bad;
  }
}

TEST(PortalConfig, S2_1_log) {
  const auto level = [](const std::string& text) {
    return log_level(*PortalUrl::parse("portal://k@:1?" + text));
  };
  EXPECT_EQ(level("log=none"), log::Level::none);
  EXPECT_EQ(level("log=debug"), log::Level::debug);
  EXPECT_EQ(level("log=event"), log::Level::event);
  EXPECT_EQ(level("log="), log::Level::info);
  EXPECT_EQ(level("log=verbose"), log::Level::info);
  EXPECT_EQ(level(""), log::Level::info);
}

// Of several faults the first in the order of 2.1 is reported.
TEST(PortalConfig, S2_1_validation_order) {
  std::string text = "http://caf%E9:pw@h?spec=%E9&alpn=%E9&net=auto&tls=0";
  EXPECT_EQ(refused("portal//" + text.substr(7)), Errc::bad_url);
  struct Step {
    Errc reported;
    std::string_view wrong;
    std::string_view right;
  };
  for (const auto& [reported, wrong, right] : {Step{Errc::bad_scheme, "http", "portal"},
                                               {Errc::missing_port, "@h", "@h:1"},
                                               {Errc::password_given, ":pw", ""},
                                               {Errc::bad_key, "caf%E9", "key"},
                                               {Errc::bad_spec, "%E9", "x"},
                                               {Errc::bad_alpn, "%E9", "x"},
                                               {Errc::bad_net, "auto", "tcp"},
                                               {Errc::bad_tls, "tls=0", "tls=1"}}) {
    EXPECT_EQ(refused(text), reported) << text;
    const std::size_t at = text.find(wrong);
    ASSERT_NE(at, text.npos);
    text.replace(at, wrong.size(), right);
  }
  EXPECT_TRUE(read(text));
}

TEST(PortalConfig, S1_what_help_says_is_what_errors_say) {
  EXPECT_EQ(query("tls=0").error().text(), "invalid tls, expected 1 or 2: tls=0 is not supported");
  EXPECT_EQ(read("portal://k:p@:1").error().text(), "password credentials are not supported");
}

}  // namespace
}  // namespace portunus::portal::config
