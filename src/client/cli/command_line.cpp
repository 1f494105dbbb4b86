#include "client/cli/command_line.hpp"

#include <CLI/App.hpp>
#include <charconv>
#include <string>

#include "common/command_line/options.hpp"
#include "common/command_line/program.hpp"

namespace portunus::client::cli {
namespace {

using command_line::add_text;

/// Decimal digits that make a number from `least` on. CLI11 alone would take -1 for the largest.
std::string number_fault(const std::string& text, std::uint64_t least) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc{} || rest != end || text.front() == '-') {
    return "not a number: " + text;
  }
  return value < least ? "must be at least " + std::to_string(least) : std::string{};
}

void add_number(CLI::App& app, const std::string& name, std::uint64_t& value, std::uint64_t least,
                const std::string& meaning) {
  app.add_option(name, value, meaning)
      ->type_name("<u64>")
      ->check([least](const std::string& text) { return number_fault(text, least); })
      ->capture_default_str();
}

void add_agent_flags(CLI::App& app, RunCommand& run) {
  add_text(app, "--bundle", "Credential bundle; default: the first one found", run.bundle)
      ->type_name("<path>");
  add_number(app, "--reconnect-initial-delay-ms", run.reconnect_initial_delay_ms, 0,
             "Base of the reconnect backoff");
  add_number(app, "--reconnect-max-delay-secs", run.reconnect_max_delay_secs, 0,
             "Cap of the reconnect backoff");
  add_number(app, "--shutdown-drain-timeout-secs", run.shutdown_drain_timeout_secs, 0,
             "How long running connections may go on when a rule or the agent ends");
  add_number(app, "--stats-report-interval-secs", run.stats_report_interval_secs, 1,
             "Period of the traffic reports, at least 1");
}

}  // namespace

std::variant<RunCommand, EnrollCommand, Done> parse_command_line(int argc, const char* const* argv,
                                                                 std::ostream& out,
                                                                 std::ostream& err) {
  RunCommand run;
  EnrollCommand enroll;

  command_line::Program program(
      "portunus-client",
      "Portunus edge client: keeps a session to portunus-server and forwards its rules");
  add_agent_flags(program.app(), run);
  const CLI::App& agent = program.app();
  program.keep_from_commands("agent", agent.get_options());

  CLI::App& enroll_command = program.add_command(
      "enroll", "Redeem an enrollment URI and write the credential bundle",
      "Examples:\n"
      "  portunus-client enroll 'portunus://192.0.2.1:7443/enroll?pin=…&code=…'\n"
      "  portunus-client enroll 'portunus://…' --out /etc/portunus/client.bundle.json");
  add_text(enroll_command, "uri", "portunus://… as the server printed it", enroll.uri)
      ->required()
      ->type_name("<uri>");
  add_text(enroll_command, "--out", "Where to write the bundle", enroll.out)->type_name("<path>");
  program.finish(
      "enroll",
      "Examples:\n"
      "  portunus-client --bundle /etc/portunus/client.bundle.json\n"
      "  portunus-client --stats-report-interval-secs 1\n\n"
      "Without --bundle it is the first of $PORTUNUS_CLIENT_BUNDLE,\n"
      "$XDG_CONFIG_HOME/portunus/client.bundle.json, ~/.config/portunus/client.bundle.json and\n"
      "./client.bundle.json that exists.");

  if (const auto exit_code = program.parse(argc, argv, out, err)) return Done{*exit_code};
  if (enroll_command.parsed()) return enroll;
  return run;
}

}  // namespace portunus::client::cli
