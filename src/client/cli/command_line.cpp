#include "client/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/version.hpp"
#include "common/completion/completion.hpp"

namespace portunus::client::cli {
namespace {

constexpr int kUsageError = 2;

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
  app.add_option("--bundle", run.bundle, "Credential bundle; default: the first one found")
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

/// The words behind the program's name, last first, as CLI11 wants them. `help` and `help
/// enroll` are other spellings of `--help` and `enroll --help`; what else follows `help` stays and
/// is refused.
std::vector<std::string> reversed_words(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words == std::vector<std::string>{"help"}) words = {"--help"};
  for (const char* topic : {"enroll", "completion", "help"}) {
    if (words == std::vector<std::string>{"help", topic}) words = {topic, "--help"};
  }
  std::ranges::reverse(words);
  return words;
}

bool any_given(const CLI::App& app) {
  return std::ranges::any_of(app.get_options(),
                             [](const CLI::Option* o) { return o->count() > 0; });
}

}  // namespace

std::variant<RunCommand, EnrollCommand, Done> parse_command_line(int argc, const char* const* argv,
                                                                 std::ostream& out,
                                                                 std::ostream& err) {
  RunCommand run;
  EnrollCommand enroll;

  CLI::App app("Portunus edge client: keeps a session to portunus-server and forwards its rules",
               "portunus-client");
  app.set_help_flag("-h,--help", "Print this help");
  app.set_version_flag("-V,--version", "portunus-client " + std::string(kVersion));
  add_agent_flags(app, run);

  CLI::App* enroll_command =
      app.add_subcommand("enroll", "Redeem an enrollment URI and write the credential bundle");
  enroll_command->add_option("uri", enroll.uri, "portunus://… as the server printed it")
      ->required()
      ->type_name("<uri>");
  enroll_command->add_option("--out", enroll.out, "Where to write the bundle")->type_name("<path>");
  enroll_command->footer(
      "Examples:\n"
      "  portunus-client enroll 'portunus://192.0.2.1:7443/enroll?pin=…&code=…'\n"
      "  portunus-client enroll 'portunus://…' --out /etc/portunus/client.bundle.json");
  auto shell = completion::Shell::bash;
  CLI::App* completion_command =
      app.add_subcommand("completion", "Print what makes a shell complete this program's words");
  completion::add_shell_operand(*completion_command, shell);
  completion_command->footer("Example:\n  source <(portunus-client completion bash)");
  CLI::App* help_command = app.add_subcommand("help", "Print the help of a command");
  help_command->footer("Example:\n  portunus-client help enroll");
  // Last, because a new subcommand takes its parent's over.
  app.footer(
      "Examples:\n"
      "  portunus-client --bundle /etc/portunus/client.bundle.json\n"
      "  portunus-client --stats-report-interval-secs 1\n\n"
      "Without --bundle it is the first of $PORTUNUS_CLIENT_BUNDLE,\n"
      "$XDG_CONFIG_HOME/portunus/client.bundle.json, ~/.config/portunus/client.bundle.json and\n"
      "./client.bundle.json that exists.");

  try {
    app.parse(reversed_words(argc, argv));
    if (!app.get_subcommands().empty() && any_given(app)) {
      throw CLI::ExtrasError({"the flags of the agent do not go with a command"});
    }
  } catch (const CLI::ParseError& error) {
    return Done{app.exit(error, out, err) == 0 ? 0 : kUsageError};
  }
  if (completion_command->parsed()) {
    out << completion::script(app, shell);
    return Done{0};
  }
  if (help_command->parsed()) {
    // Behind "--"; asked for its help, `app` would answer with that of this command.
    out << app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal);
    return Done{0};
  }
  if (enroll_command->parsed()) return enroll;
  return run;
}

}  // namespace portunus::client::cli
