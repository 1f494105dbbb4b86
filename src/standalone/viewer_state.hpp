#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace portunus::standalone {

/// How the last connect to a rule's target went.
struct Rtt {
  enum class State { pending, ok, timeout, down } state = State::pending;
  std::uint32_t millis = 0;
};

struct ViewedTarget {
  std::string host;
  std::uint16_t port = 0;
  std::int64_t priority = 0;
  std::string proxy_protocol;  ///< empty = none
  std::string text() const { return host + ":" + std::to_string(port); }
};

/// One rule as the viewer knows it.
struct ViewedRule {
  std::string id, name, proto, listen;
  std::vector<ViewedTarget> targets;
  bool splice_capable = false;
  std::optional<std::uint64_t> udp_max_flows;

  // Of the newest snapshot.
  std::map<std::string, std::uint64_t> counters;
  std::map<std::string, std::uint64_t> errors;
  double in_rate = 0, out_rate = 0;  ///< bytes per second between the last two snapshots
  /// Rates of the last 60 s, newest last.
  std::deque<std::pair<double, double>> history;
  /// What `c` counts from.
  std::uint64_t base_in = 0, base_out = 0;
  Rtt rtt;

  /// The one with the lowest priority number; null when there is none.
  const ViewedTarget* upstream() const;
  std::uint64_t counter(const std::string& key) const;
  std::uint64_t total_in() const { return counter("in") - base_in; }
  std::uint64_t total_out() const { return counter("out") - base_out; }
};

enum class ViewTab { overview, detail, errors };
enum class SortKey { rate, total, name, conns };
enum class Key { up, down, left, right, enter, escape, backspace, character };

/// What the viewer shows and how its keys change that (cli-and-config 8.2). Pure: it is fed the
/// daemon's lines and the user's keys. A message that is not what it should be changes nothing.
class ViewerState {
 public:
  void on_hello(const nlohmann::json& hello);
  void on_snapshot(const nlohmann::json& snapshot);
  void on_rtt(const std::string& rule_id, Rtt rtt);
  /// `text` is the character of Key::character.
  void on_key(Key key, char text = '\0');

  bool quit() const { return quit_; }
  ViewTab tab() const { return tab_; }
  bool help() const { return help_; }
  bool paused() const { return paused_; }
  /// The filter as typed, and whether it is being typed.
  const std::string& filter() const { return filter_; }
  bool filtering() const { return filtering_; }
  SortKey sort() const { return sort_; }
  bool reversed() const { return reversed_; }
  const std::string& daemon_version() const { return version_; }
  std::size_t rule_count() const { return rules_.size(); }
  std::optional<std::uint64_t> fd_open() const { return fd_open_; }
  std::optional<std::uint64_t> fd_limit() const { return fd_limit_; }
  double total_in_rate() const;
  double total_out_rate() const;
  /// Snapshots since the last pause; a rate needs two.
  unsigned snapshots() const { return snapshots_; }

  /// The rules that the filter leaves, sorted. Pointers live until the next call that changes.
  std::vector<const ViewedRule*> visible() const;
  /// Index into visible(); 0 when that is empty.
  std::size_t selected() const;
  /// All rules in the order of the file: for the probes.
  const std::vector<ViewedRule>& rules() const { return rules_; }

 private:
  void on_letter(char letter);
  void move(int by);
  void turn(int by);
  void rebase();

  std::string version_;
  std::vector<ViewedRule> rules_;
  std::optional<std::uint64_t> fd_open_, fd_limit_;
  std::optional<std::uint64_t> uptime_ms_;
  unsigned snapshots_ = 0;
  std::string selected_id_;
  std::string filter_;
  bool filtering_ = false;
  ViewTab tab_ = ViewTab::overview;
  SortKey sort_ = SortKey::rate;
  bool reversed_ = false;
  bool paused_ = false;
  bool help_ = false;
  bool quit_ = false;
};

}  // namespace portunus::standalone
