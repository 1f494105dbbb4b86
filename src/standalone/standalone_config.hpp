#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/rule.hpp"

namespace portunus::standalone {

/// A rule of the file, ready for the engine; the spec's id comes from its name, which is its label.
struct StandaloneRule {
  model::RuleSpec spec;
  model::UdpSettings udp;
};

struct StatsSettings {
  bool enabled = true;
  std::filesystem::path socket_path = "/run/portunus/standalone.sock";
  /// 250..5000 when enabled.
  std::uint64_t refresh_ms = 1000;
};

/// portunus.toml (cli-and-config 8.1).
struct StandaloneConfig {
  std::string label;
  std::string log_level = "info";
  std::string log_format = "json";
  std::chrono::seconds drain{30};
  StatsSettings stats;
  std::vector<StandaloneRule> rules;
};

/// The file as it stands, checked in the order of cli-and-config 8.1; the first fault's text. The
/// bounds of [stats] are not judged here: flags may still change it.
std::expected<StandaloneConfig, std::string> parse_config(std::string_view text);
/// The same from a path: "io error: …" when it cannot be read.
std::expected<StandaloneConfig, std::string> load_config(const std::filesystem::path& path);
/// What is left to check once the flags are applied.
std::expected<void, std::string> check_stats(const StatsSettings& stats);

/// The first 8 bytes of the name's SHA-256, little endian.
RuleId rule_id_of(std::string_view name);

}  // namespace portunus::standalone
