#include "standalone/viewer_state.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace portunus::standalone {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kHistoryMillis = 60'000;

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// A whole number from 0 on.
std::optional<std::uint64_t> count(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0) return std::nullopt;
  return value.get<std::uint64_t>();
}

std::optional<std::uint64_t> number_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? std::nullopt : count(*it);
}

ViewedTarget read_target(const Json& row) {
  return {.host = text_of(row, "host"),
          .port = static_cast<std::uint16_t>(number_of(row, "port").value_or(0)),
          .priority = static_cast<std::int64_t>(number_of(row, "priority").value_or(0)),
          .proxy_protocol = text_of(row, "proxy_protocol")};
}

ViewedRule read_rule(const Json& row) {
  ViewedRule rule;
  rule.id = text_of(row, "id");
  rule.name = text_of(row, "name");
  rule.proto = text_of(row, "proto");
  rule.listen = text_of(row, "listen");
  rule.splice_capable = row.value("splice_capable", Json(false)) == Json(true);
  rule.udp_max_flows = number_of(row, "udp_max_flows");
  if (const auto it = row.find("targets"); it != row.end() && it->is_array()) {
    for (const Json& target : *it) {
      if (target.is_object()) rule.targets.push_back(read_target(target));
    }
  }
  return rule;
}

void read_numbers(const Json& object, std::map<std::string, std::uint64_t>& out) {
  out.clear();
  for (const auto& [key, value] : object.items()) {
    if (const auto number = count(value)) out[key] = *number;
  }
}

double rate(std::uint64_t before, std::uint64_t now, std::uint64_t millis) {
  return now < before ? 0 : static_cast<double>(now - before) * 1000 / static_cast<double>(millis);
}

void read_counters(const Json& row, std::optional<std::uint64_t> millis, ViewedRule& rule) {
  const std::uint64_t in = rule.counter("in"), out = rule.counter("out");
  read_numbers(row, rule.counters);
  if (const auto it = row.find("err"); it != row.end() && it->is_object()) {
    read_numbers(*it, rule.errors);
  }
  if (!millis) return;
  rule.in_rate = rate(in, rule.counter("in"), *millis);
  rule.out_rate = rate(out, rule.counter("out"), *millis);
  rule.history.emplace_back(rule.in_rate, rule.out_rate);
  while (rule.history.size() > std::max<std::uint64_t>(2, kHistoryMillis / *millis)) {
    rule.history.pop_front();
  }
}

/// Descending for numbers, ascending for names, as people look for both.
bool before(SortKey key, const ViewedRule& a, const ViewedRule& b) {
  switch (key) {
    case SortKey::rate:
      return a.in_rate + a.out_rate > b.in_rate + b.out_rate;
    case SortKey::total:
      return a.total_in() + a.total_out() > b.total_in() + b.total_out();
    case SortKey::name:
      return a.name < b.name;
    case SortKey::conns:
      return a.counter("conns_active") + a.counter("flows_active") >
             b.counter("conns_active") + b.counter("flows_active");
  }
  return false;
}

}  // namespace

const ViewedTarget* ViewedRule::upstream() const {
  const auto it = std::ranges::min_element(targets, {}, &ViewedTarget::priority);
  return it == targets.end() ? nullptr : &*it;
}

std::uint64_t ViewedRule::counter(const std::string& key) const {
  const auto it = counters.find(key);
  return it == counters.end() ? 0 : it->second;
}

void ViewerState::on_hello(const Json& hello) {
  if (!hello.is_object()) return;
  version_ = text_of(hello, "daemon_version");
  rules_.clear();
  const auto rows = hello.find("rules");
  if (rows == hello.end() || !rows->is_array()) return;
  for (const Json& row : *rows) {
    if (row.is_object()) rules_.push_back(read_rule(row));
  }
}

void ViewerState::on_snapshot(const Json& snapshot) {
  if (paused_ || !snapshot.is_object()) return;
  if (const auto it = snapshot.find("process"); it != snapshot.end() && it->is_object()) {
    fd_open_ = number_of(*it, "fd_open");
    fd_limit_ = number_of(*it, "fd_limit");
  }
  const auto uptime = number_of(snapshot, "uptime_ms");
  std::optional<std::uint64_t> elapsed;
  if (uptime && uptime_ms_ && *uptime > *uptime_ms_) elapsed = *uptime - *uptime_ms_;
  uptime_ms_ = uptime;
  ++snapshots_;
  const auto rows = snapshot.find("r");
  if (rows == snapshot.end() || !rows->is_array()) return;
  for (const Json& row : *rows) {
    if (!row.is_object()) continue;
    const auto rule = std::ranges::find(rules_, text_of(row, "id"), &ViewedRule::id);
    if (rule != rules_.end()) read_counters(row, elapsed, *rule);
  }
}

void ViewerState::on_rtt(const std::string& rule_id, Rtt rtt) {
  const auto rule = std::ranges::find(rules_, rule_id, &ViewedRule::id);
  if (rule != rules_.end()) rule->rtt = rtt;
}

void ViewerState::on_key(Key key, char text) {
  if (filtering_) {
    if (key == Key::character) filter_ += text;
    if (key == Key::backspace && !filter_.empty()) filter_.pop_back();
    if (key == Key::escape) filter_.clear();
    if (key == Key::escape || key == Key::enter) filtering_ = false;
    return;
  }
  switch (key) {
    case Key::up:
      return move(-1);
    case Key::down:
      return move(1);
    case Key::left:
      return turn(-1);
    case Key::right:
      return turn(1);
    case Key::enter:
      tab_ = ViewTab::detail;
      return;
    case Key::escape:
      if (help_) {
        help_ = false;
      } else {
        filter_.clear();
      }
      return;
    case Key::backspace:
      return;
    case Key::character:
      return on_letter(text);
  }
}

void ViewerState::on_letter(char letter) {
  switch (letter) {
    case 'k':
      return move(-1);
    case 'j':
      return move(1);
    case 'h':
      return turn(-1);
    case 'l':
      return turn(1);
    case 's':
      sort_ = static_cast<SortKey>((static_cast<int>(sort_) + 1) % 4);
      return;
    case 'r':
      reversed_ = !reversed_;
      return;
    case '/':
      filtering_ = true;
      filter_.clear();
      return;
    case 'p':
      paused_ = !paused_;
      if (!paused_) {
        // What passed meanwhile is no rate of the next second.
        snapshots_ = 0;
        uptime_ms_.reset();
      }
      return;
    case 'c':
      return rebase();
    case '?':
      help_ = !help_;
      return;
    case 'q':
      quit_ = true;
      return;
    default:
      return;
  }
}

void ViewerState::move(int by) {
  const auto shown = visible();
  if (shown.empty()) return;
  const auto last = static_cast<std::int64_t>(shown.size()) - 1;
  const auto next = std::clamp<std::int64_t>(static_cast<std::int64_t>(selected()) + by, 0, last);
  selected_id_ = shown[static_cast<std::size_t>(next)]->id;
}

void ViewerState::turn(int by) {
  tab_ = static_cast<ViewTab>((static_cast<int>(tab_) + by + 3) % 3);
}

void ViewerState::rebase() {
  for (ViewedRule& rule : rules_) {
    rule.base_in = rule.counter("in");
    rule.base_out = rule.counter("out");
  }
}

double ViewerState::total_in_rate() const {
  double sum = 0;
  for (const ViewedRule& rule : rules_) sum += rule.in_rate;
  return sum;
}

double ViewerState::total_out_rate() const {
  double sum = 0;
  for (const ViewedRule& rule : rules_) sum += rule.out_rate;
  return sum;
}

std::vector<const ViewedRule*> ViewerState::visible() const {
  std::vector<const ViewedRule*> out;
  for (const ViewedRule& rule : rules_) {
    if (rule.name.contains(filter_)) out.push_back(&rule);
  }
  std::ranges::sort(out, [this](const ViewedRule* a, const ViewedRule* b) {
    if (before(sort_, *a, *b)) return true;
    return !before(sort_, *b, *a) && a < b;  // else in the order of the file
  });
  if (reversed_) std::ranges::reverse(out);
  return out;
}

std::size_t ViewerState::selected() const {
  const auto shown = visible();
  const auto it = std::ranges::find(shown, selected_id_, &ViewedRule::id);
  return it == shown.end() ? 0 : static_cast<std::size_t>(it - shown.begin());
}

}  // namespace portunus::standalone
