#include "standalone/stats_command.hpp"

#include <chrono>
#include <cstdio>
#include <expected>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "standalone/standalone_config.hpp"
#include "standalone/stats_reader.hpp"
#include "standalone/stats_viewer.hpp"

namespace portunus::standalone {
namespace {

constexpr int kFailed = 2;
/// A daemon sends both lines at once; one that is busy for longer is not well.
constexpr std::chrono::seconds kPatience(10);

std::expected<nlohmann::json, std::string> next_line(StatsReader& reader) {
  StatsReader::Next next = reader.next(kPatience);
  if (next.state == StatsReader::State::line) return std::move(next.message);
  if (next.state == StatsReader::State::nothing_yet) {
    return std::unexpected("the daemon sends nothing");
  }
  return std::unexpected(next.error.empty() ? "the daemon closed the connection" : next.error);
}

std::expected<std::string, std::string> one_snapshot(const std::string& path) {
  auto reader = StatsReader::connect(path);
  if (!reader) return std::unexpected(reader.error());
  auto hello = next_line(*reader);
  if (!hello) return std::unexpected(hello.error());
  auto snapshot = next_line(*reader);
  if (!snapshot) return std::unexpected(snapshot.error());
  const nlohmann::ordered_json both{{"hello", std::move(*hello)},
                                    {"snapshot", std::move(*snapshot)}};
  return both.dump(2) + "\n";
}

int fail(const char* what, const std::string& detail) {
  std::fputs(("error: " + std::string(what) + ": " + detail + "\n").c_str(), stderr);
  return kFailed;
}

}  // namespace

int run_stats_command(const StatsCommand& command) {
  const std::string path = command.socket.value_or(StatsSettings{}.socket_path.string());
  if (!command.once) {
    const auto done = run_stats_viewer(path);
    return done ? 0 : fail("stats TUI", done.error());
  }
  const auto text = one_snapshot(path);
  if (!text) return fail("stats --once", text.error());
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace portunus::standalone
