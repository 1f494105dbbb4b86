#include "standalone/viewer_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "standalone/viewer_format.hpp"

namespace portunus::standalone {
namespace {

/// Below this the panels of Detail stand one under the other.
constexpr int kTwoColumns = 78;

struct Area {
  int x, y, width, height;
};

struct Column {
  std::string_view title;
  int width;
};
constexpr std::array kColumns{
    Column{"name", 18},     Column{"proto", 5},      Column{"listen", 11},
    Column{"upstream", 24}, Column{"rtt", 7},        Column{"in rate", 11},
    Column{"out rate", 11}, Column{"total i/o", 21}, Column{"conns", 11}};

struct Text {
  std::string text;
  Style style = Style::plain;
};

Text rtt_text(const ViewedRule& rule) {
  if (rule.proto == "udp") return {"—", Style::dim};
  switch (rule.rtt.state) {
    case Rtt::State::pending:
      return {"…", Style::dim};
    case Rtt::State::timeout:
      return {"timeout", Style::bad};
    case Rtt::State::down:
      return {"down", Style::bad};
    case Rtt::State::ok:
      break;
  }
  const auto millis = rule.rtt.millis;
  return {fmt::format("{}ms", millis), millis < 50    ? Style::good
                                       : millis < 200 ? Style::warn
                                                      : Style::bad};
}

std::string conns_text(const ViewedRule& rule) {
  return fmt::format("{}/{}", rule.counter("conns_active") + rule.counter("flows_active"),
                     rule.counter("conns_total"));
}

std::string total_text(const ViewedRule& rule) {
  return format_bytes(static_cast<double>(rule.total_in())) + " / " +
         format_bytes(static_cast<double>(rule.total_out()));
}

std::array<Text, kColumns.size()> row_texts(const ViewedRule& rule) {
  const ViewedTarget* upstream = rule.upstream();
  return {Text{rule.name},
          Text{rule.proto},
          Text{rule.listen},
          Text{upstream == nullptr ? "" : upstream->text()},
          rtt_text(rule),
          Text{format_rate(rule.in_rate), Style::in},
          Text{format_rate(rule.out_rate), Style::out},
          Text{total_text(rule)},
          Text{conns_text(rule)}};
}

void draw_header(const ViewerState& state, Canvas& canvas) {
  canvas.fill(0, 0, canvas.width(), Style::bar);
  int x = canvas.put(
      0, 0, fmt::format(" portunus-standalone stats — daemon v{} ", state.daemon_version()),
      Style::bar);
  if (state.paused()) canvas.put(x, 0, " paused ", Style::selected);
  constexpr std::array kTabs{"Overview", "Detail", "Errors"};
  x = 1;
  for (std::size_t i = 0; i < kTabs.size(); ++i) {
    const bool here = static_cast<std::size_t>(state.tab()) == i;
    x = canvas.put(x, 1, kTabs[i], here ? Style::bold : Style::dim) + 1;
  }
  if (state.filtering() || !state.filter().empty()) {
    canvas.put(x + 2, 1, "/" + state.filter() + (state.filtering() ? "_" : ""), Style::warn);
  }
}

std::string descriptors(const ViewerState& state) {
  if (!state.fd_open() || !state.fd_limit()) return "fd —";
  return fmt::format("fd {}/{}", *state.fd_open(), *state.fd_limit());
}

void draw_footer(const ViewerState& state, Canvas& canvas) {
  const int y = canvas.height() - 1;
  canvas.fill(0, y, canvas.width(), Style::bar);
  canvas.put(0, y,
             fmt::format(" rules {}  total in {}  out {}  {}  [q]uit [?]help ", state.rule_count(),
                         format_rate(state.total_in_rate()), format_rate(state.total_out_rate()),
                         descriptors(state)),
             Style::bar);
}

void draw_overview(const ViewerState& state, Canvas& canvas, const Area& area) {
  int x = area.x + 2;
  for (const Column& column : kColumns) {
    canvas.put(x, area.y, column.title, Style::bold, column.width);
    x += column.width + 1;
  }
  const auto rules = state.visible();
  const auto selected = static_cast<int>(state.selected());
  const int room = area.height - 1;
  const int first = std::max(0, selected - room + 1);
  for (int i = 0; i < room && first + i < static_cast<int>(rules.size()); ++i) {
    const bool here = first + i == selected;
    const int y = area.y + 1 + i;
    if (here) canvas.put(area.x, y, "▶ ", Style::selected);
    const auto texts = row_texts(*rules[static_cast<std::size_t>(first + i)]);
    x = area.x + 2;
    for (std::size_t c = 0; c < kColumns.size(); ++c) {
      const Style style = here && texts[c].style == Style::plain ? Style::bold : texts[c].style;
      canvas.put(x, y, texts[c].text, style, kColumns[c].width);
      x += kColumns[c].width + 1;
    }
  }
  if (rules.empty()) canvas.put(area.x + 2, area.y + 1, "no rule matches", Style::dim);
}

/// Bars of one direction over the last minute, newest at the right edge, in eighths of a row.
void draw_bars(Canvas& canvas, const Area& area, const std::vector<double>& values, Style style) {
  constexpr std::array kEighths{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double peak = std::ranges::max(values);
  if (peak <= 0 || area.height < 1) return;
  const int count = static_cast<int>(values.size());
  for (int i = 0; i < std::min(count, area.width); ++i) {
    const double value = values[static_cast<std::size_t>(count - 1 - i)];
    int eighths = static_cast<int>(value / peak * area.height * 8 + 0.5);
    for (int row = area.height - 1; row >= 0 && eighths > 0; --row, eighths -= 8) {
      canvas.put(area.x + area.width - 1 - i, area.y + row,
                 kEighths[static_cast<std::size_t>(std::min(eighths, 8))], style);
    }
  }
}

void draw_direction(Canvas& canvas, const Area& area, std::string_view name,
                    const std::vector<double>& values, Style style) {
  double sum = 0;
  for (const double value : values) sum += value;
  canvas.put(area.x, area.y,
             fmt::format("{} now {}  peak {}  avg {}", name, format_rate(values.back()),
                         format_rate(std::ranges::max(values)),
                         format_rate(sum / static_cast<double>(values.size()))),
             style, area.width);
  draw_bars(canvas, {area.x, area.y + 1, area.width, area.height - 1}, values, style);
}

void draw_chart(const ViewerState& state, const ViewedRule& rule, Canvas& canvas,
                const Area& area) {
  canvas.box(area.x, area.y, area.width, area.height, " Rate, 60 s ");
  const Area inner{area.x + 1, area.y + 1, area.width - 2, area.height - 2};
  if (state.snapshots() < 2 || rule.history.empty()) {
    canvas.put(inner.x, inner.y, "collecting…", Style::dim);
    return;
  }
  std::vector<double> in, out;
  for (const auto& [i, o] : rule.history) {
    in.push_back(i);
    out.push_back(o);
  }
  const int half = inner.height / 2;
  draw_direction(canvas, {inner.x, inner.y, inner.width, half}, "in ", in, Style::in);
  draw_direction(canvas, {inner.x, inner.y + half, inner.width, inner.height - half}, "out", out,
                 Style::out);
}

using Lines = std::vector<Text>;

Lines target_lines(const ViewedRule& rule) {
  Lines out;
  for (const ViewedTarget& target : rule.targets) {
    std::string text = fmt::format("{}  priority {}", target.text(), target.priority);
    if (!target.proxy_protocol.empty()) text += "  PROXY " + target.proxy_protocol;
    out.push_back({std::move(text)});
  }
  return out;
}

Lines counter_lines(const ViewedRule& rule) {
  Lines out{{fmt::format("total i/o  {}", total_text(rule))},
            {fmt::format("conns      {}", conns_text(rule))}};
  for (const char* key :
       {"flows_active", "datagrams_in", "datagrams_out", "target_failovers_total"}) {
    out.push_back({fmt::format("{:<23}{}", key, rule.counter(key))});
  }
  return out;
}

Lines capability_lines(const ViewedRule& rule) {
  const auto line = [](std::string_view name, bool on) {
    return on ? Text{fmt::format("● on   {}", name), Style::good}
              : Text{fmt::format("○ off  {}", name), Style::dim};
  };
  const bool proxy = std::ranges::any_of(
      rule.targets, [](const ViewedTarget& t) { return !t.proxy_protocol.empty(); });
  Lines out{line("splice", rule.splice_capable), line("PROXY protocol", proxy),
            line("failover", rule.targets.size() > 1)};
  if (rule.udp_max_flows)
    out.push_back({fmt::format("       {} flows at most", *rule.udp_max_flows)});
  return out;
}

Lines error_lines(const ViewedRule& rule) {
  Lines out;
  for (const auto& [name, count] : rule.errors) {
    if (count > 0) out.push_back({fmt::format("{:<24}{}", name, count), Style::bad});
  }
  if (out.empty()) out.push_back({"✓ none", Style::good});
  return out;
}

void draw_panel(Canvas& canvas, const Area& area, std::string_view title, const Lines& lines) {
  canvas.box(area.x, area.y, area.width, area.height, title);
  for (int i = 0; i < area.height - 2 && i < static_cast<int>(lines.size()); ++i) {
    const Text& line = lines[static_cast<std::size_t>(i)];
    canvas.put(area.x + 1, area.y + 1 + i, line.text, line.style, area.width - 2);
  }
}

void draw_detail(const ViewerState& state, Canvas& canvas, const Area& area) {
  const auto rules = state.visible();
  if (rules.empty()) {
    canvas.put(area.x + 2, area.y, "no rule matches", Style::dim);
    return;
  }
  const ViewedRule& rule = *rules[state.selected()];
  canvas.put(area.x, area.y,
             fmt::format(" Detail · {} ({} {}) ", rule.name, rule.proto, rule.listen), Style::bold);
  const int chart = std::max(6, (area.height - 1) / 3);
  draw_chart(state, rule, canvas, {area.x, area.y + 1, area.width, chart});
  const std::array<std::pair<std::string_view, Lines>, 4> panels{
      {{" Targets ", target_lines(rule)},
       {" Counters ", counter_lines(rule)},
       {" Capabilities ", capability_lines(rule)},
       {" Errors ", error_lines(rule)}}};
  const int top = area.y + 1 + chart;
  const int room = area.height - 1 - chart;
  if (area.width < kTwoColumns) {
    int y = top;
    for (const auto& [title, lines] : panels) {
      const int height = static_cast<int>(lines.size()) + 2;
      draw_panel(canvas, {area.x, y, area.width, height}, title, lines);
      y += height;
    }
    return;
  }
  const int half = area.width / 2;
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const int x = area.x + (i % 2 == 0 ? 0 : half);
    const int width = i % 2 == 0 ? half : area.width - half;
    const int y = top + (i < 2 ? 0 : room / 2);
    draw_panel(canvas, {x, y, width, i < 2 ? room / 2 : room - room / 2}, panels[i].first,
               panels[i].second);
  }
}

void draw_errors(const ViewerState& state, Canvas& canvas, const Area& area) {
  canvas.put(area.x + 2, area.y, fmt::format("{:<24} {:<26} {}", "rule", "event", "count"),
             Style::bold);
  int y = area.y + 1;
  for (const ViewedRule* rule : state.visible()) {
    for (const auto& [name, count] : rule->errors) {
      if (count == 0) continue;
      canvas.put(area.x + 2, y++, fmt::format("{:<24} {:<26} {}", rule->name, name, count));
    }
  }
  if (y == area.y + 1) canvas.put(area.x + 2, y, "✓ none", Style::good);
}

void draw_help(Canvas& canvas) {
  constexpr std::array kLines{"↑↓ j k              select a rule",
                              "←→ h l Tab Shift-Tab  change the tab",
                              "Enter               Detail of the rule",
                              "s                   sort by rate, total, name, conns",
                              "r                   reverse the order",
                              "/                   filter by name",
                              "p                   pause",
                              "c                   count totals from now",
                              "?                   this help",
                              "Esc                 close the help, clear the filter",
                              "q, Ctrl-C           quit"};
  const int width = std::min(canvas.width(), 56);
  const int height = static_cast<int>(kLines.size()) + 2;
  const int x = (canvas.width() - width) / 2;
  const int y = std::max(0, (canvas.height() - height) / 2);
  for (int i = 0; i < height; ++i) {
    canvas.put(x, y + i, std::string(static_cast<std::size_t>(width), ' '));
  }
  canvas.box(x, y, width, height, " Keys ");
  for (std::size_t i = 0; i < kLines.size(); ++i) {
    canvas.put(x + 2, y + 1 + static_cast<int>(i), kLines[i], Style::plain, width - 3);
  }
}

}  // namespace

void draw(const ViewerState& state, Canvas& canvas) {
  const Area body{0, 2, canvas.width(), std::max(0, canvas.height() - 3)};
  draw_header(state, canvas);
  switch (state.tab()) {
    case ViewTab::overview:
      draw_overview(state, canvas, body);
      break;
    case ViewTab::detail:
      draw_detail(state, canvas, body);
      break;
    case ViewTab::errors:
      draw_errors(state, canvas, body);
      break;
  }
  draw_footer(state, canvas);
  if (state.help()) draw_help(canvas);
}

}  // namespace portunus::standalone
