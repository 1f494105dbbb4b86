#include "common/log/line.hpp"

#include <gtest/gtest.h>

namespace portunus::log {
namespace {

std::string json(std::initializer_list<Field> fields, std::string* violation = nullptr) {
  return build_line(Format::json, false, from_unix_micros(1'771'317'909'482'113), Level::info,
                    "rule.activated", {fields.begin(), fields.size()}, violation);
}

constexpr std::string_view kHead =
    R"({"timestamp":"2026-02-17T08:45:09.482113Z","level":"INFO","event":"rule.activated")";

std::string expect(std::string_view rest) {
  return std::string(kHead) + std::string(rest) + "}";
}

TEST(LogLine, D1_json_is_flat_with_three_keys_first) {
  EXPECT_EQ(json({}), expect(""));
  EXPECT_EQ(json({{"rule_id", "42"}, {"listen_port", 18080}, {"ok", true}, {"delta", -5}}),
            expect(R"(,"rule_id":"42","listen_port":18080,"ok":true,"delta":-5)"));
}

TEST(LogLine, lists_are_arrays) {
  const std::vector<std::string> list{"tcp", "u\"dp"};
  EXPECT_EQ(json({{"supported_protocols", list}}),
            expect(R"(,"supported_protocols":["tcp","u\"dp"])"));
}

TEST(LogLine, peer_text_cannot_forge_a_line) {
  EXPECT_EQ(json({{"error", "a\"b\\c\nd\x01\x7f"}}),
            expect(R"(,"error":"a\"b\\c\nd\u0001\u007f")"));
  const Field fields[] = {{"error", "x\n2026 ERROR forged k=v"}};
  const std::string compact =
      build_line(Format::compact, false, from_unix_micros(0), Level::warn, "e", fields, nullptr);
  EXPECT_EQ(compact, "1970-01-01T00:00:00.000000Z WARN e error=\"x\\n2026 ERROR forged k=v\"");
}

TEST(LogLine, invalid_utf8_becomes_the_replacement_character) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(json({{"error", "ok \xC3\xA4"}}), expect(",\"error\":\"ok \xC3\xA4\""));
  for (const char* bad : {"\xFF", "\xC3", "\xC0", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_TRUE(json({{"error", bad}}).contains(replacement));
  }
}

TEST(LogLine, values_are_cut_at_1024_bytes_between_characters) {
  const std::string line = json({{"error", std::string(5000, 'x')}});
  EXPECT_EQ(line, expect(",\"error\":\"" + std::string(1024, 'x') + "\""));
  const std::string odd = json({{"error", "x" + std::string(3000, 'y') + "\xC3\xA4"}});
  EXPECT_LT(odd.size(), 1200U);
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\xC3\xA4";
  EXPECT_EQ(json({{"e", "x" + umlauts}}), expect(",\"e\":\"x" + umlauts.substr(0, 1022) + "\""));
}

TEST(LogLine, a_field_named_like_a_secret_is_redacted_and_reported) {
  for (const char* key : {"token", "client_TOKEN_hash", "Secret", "tls_private_key"}) {
    std::string violation;
    const std::string line = json({{key, "s3cr3t"}}, &violation);
    EXPECT_EQ(line, expect(",\"" + std::string(key) + "\":\"<redacted>\""));
    EXPECT_EQ(violation, key);
  }
  std::string violation;
  json({{"reason", "token_revoked"}}, &violation);
  EXPECT_EQ(violation, "");
}

TEST(LogLine, compact_quotes_only_what_needs_it) {
  const Field fields[] = {{"a", "x"}, {"b", "two words"}, {"c", 7}, {"d", ""}, {"e", "k=v"}};
  EXPECT_EQ(
      build_line(Format::compact, false, from_unix_micros(0), Level::info, "e.f", fields, nullptr),
      "1970-01-01T00:00:00.000000Z INFO e.f a=x b=\"two words\" c=7 d=\"\" e=\"k=v\"");
}

}  // namespace
}  // namespace portunus::log
