#include "standalone/stats_viewer.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "standalone/rtt_prober.hpp"
#include "standalone/stats_reader.hpp"
#include "standalone/terminal.hpp"
#include "standalone/viewer_screen.hpp"
#include "standalone/viewer_state.hpp"

namespace portunus::standalone {
namespace {

using std::chrono::milliseconds;

/// How often the screen looks for round trips; keys and snapshots wake it at once.
constexpr milliseconds kTick(250);
constexpr milliseconds kHelloPatience(10'000);

std::vector<RttProber::Target> probe_targets(const ViewerState& state) {
  std::vector<RttProber::Target> out;
  for (const ViewedRule& rule : state.rules()) {
    const ViewedTarget* upstream = rule.upstream();
    if (rule.proto != "tcp" || upstream == nullptr) continue;
    std::string host = upstream->host;
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    out.push_back({rule.id, std::move(host), upstream->port});
  }
  return out;
}

/// Takes what has arrived; false at the end of the daemon, whose error is put into `error`.
bool take_lines(StatsReader& reader, ViewerState& state, std::string& error) {
  while (true) {
    StatsReader::Next next = reader.next(milliseconds(0));
    switch (next.state) {
      case StatsReader::State::line:
        state.on_snapshot(next.message);
        break;
      case StatsReader::State::nothing_yet:
        return true;
      case StatsReader::State::ended:
        error = std::move(next.error);
        return false;
    }
  }
}

/// False when the user wants to leave.
bool take_keys(Terminal& terminal, ViewerState& state) {
  while (const auto pressed = terminal.key()) {
    if (pressed->interrupt) return false;
    state.on_key(pressed->key, pressed->text);
  }
  return !state.quit();
}

std::string watch(StatsReader& reader, Terminal& terminal, ViewerState& state) {
  RttProber prober(probe_targets(state));
  std::string error;
  while (take_lines(reader, state, error) && take_keys(terminal, state)) {
    for (const auto& result : prober.take()) state.on_rtt(result.rule_id, result.rtt);
    Canvas canvas = terminal.canvas();
    draw(state, canvas);
    terminal.show(canvas);
    pollfd wanted[] = {{STDIN_FILENO, POLLIN, 0}, {reader.fd(), POLLIN, 0}};
    ::poll(wanted, 2, static_cast<int>(kTick.count()));
    if ((wanted[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;
  }
  return error;
}

}  // namespace

std::expected<void, std::string> run_stats_viewer(const std::string& socket_path) {
  auto reader = StatsReader::connect(socket_path);
  if (!reader) return std::unexpected(reader.error());
  const StatsReader::Next hello = reader->next(kHelloPatience);
  if (hello.state != StatsReader::State::line) {
    return std::unexpected(hello.error.empty() ? "the daemon sends nothing" : hello.error);
  }
  ViewerState state;
  state.on_hello(hello.message);
  auto terminal = Terminal::open();
  if (!terminal) return std::unexpected(terminal.error());
  const std::string error = watch(*reader, **terminal, state);
  terminal->reset();  // before anything is written about the end
  if (!error.empty()) return std::unexpected(error);
  return {};
}

}  // namespace portunus::standalone
