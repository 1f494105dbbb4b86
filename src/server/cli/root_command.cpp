#include "server/cli/root_command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <optional>
#include <ostream>
#include <utility>

#include "common/base/version.hpp"
#include "common/command_line/words.hpp"
#include "common/log/logger.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

constexpr const char* kName = "portunus-server";

/// The process's logger for as long as a command runs.
class LogScope {
 public:
  explicit LogScope(const Context& context) : active_(context.log_to_stderr) {
    if (!active_) return;
    log::start(
        {.format = log::Format::json, .filter = context.variable("PORTUNUS_LOG").value_or("info")});
  }
  ~LogScope() {
    if (active_) log::stop();
  }
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  bool active_;
};

void add_serve_command(Commands& commands) {
  const auto listen = std::make_shared<std::optional<std::string>>();
  CLI::App& app =
      commands.add("serve", "Run the control plane",
                   "Ends on SIGINT or SIGTERM, after the sessions are drained.\n\nExample:\n"
                   "  portunus-server --data-dir /var/lib/portunus serve",
                   [listen](Context& context, const Globals& globals) {
                     return context.serve({.data_dir = globals.data_dir,
                                           .advertised_endpoint = globals.advertised_endpoint,
                                           .operator_http_listen = *listen});
                   });
  add_text(app, "--operator-http-listen", "Address of the API, instead of server.toml's", *listen)
      ->type_name("IP:PORT");
}

/// One command line in the making.
struct Grammar {
  CLI::App root{"Portunus control plane: forwards TCP ports on edge hosts.", kName};
  Commands commands{root};
  std::optional<std::string> help_topic;
  const CLI::App* help = nullptr;

  Grammar() {
    root.set_help_flag("-h,--help", "Show this help");
    root.set_version_flag("-V,--version", std::string(kName) + " " + std::string(kVersion),
                          "Show the version");
    root.require_subcommand(0, 1);
    root.get_formatter()->column_width(36);
    add_serve_command(commands);
    add_bootstrap_commands(commands);
    add_password_commands(commands);
    add_client_commands(commands);
    add_rule_commands(commands);
    add_owner_cap_commands(commands);
    add_people_commands(commands);
    add_audit_commands(commands);
    add_store_commands(commands);
    add_completion_command(commands);
    CLI::App& topic = *root.add_subcommand("help", "Show the help of a command");
    add_text(topic, "command", "The command", help_topic)->type_name("");
    topic.footer("Example:\n  portunus-server help push-rule");
    help = &topic;
    // Last, because a new subcommand takes its parent's over.
    root.footer(
        "First steps:\n"
        "  portunus-server bootstrap-superadmin     prints the operator's token\n"
        "  portunus-server serve                    runs the control plane\n"
        "  portunus-server enroll-client edge-01    prints what to run on an edge\n"
        "  portunus-server push-rule edge-01 8080 10.0.1.5:80\n\n"
        "Commands of rules, users, credentials and grants, and those of clients while a server\n"
        "runs, send $PORTUNUS_OPERATOR_TOKEN. `portunus-server help COMMAND` tells more.");
  }
};

/// The innermost command of the line; null for none.
const CLI::App* chosen(const CLI::App& root) {
  const CLI::App* command = nullptr;
  for (auto next = root.get_subcommands(); !next.empty(); next = command->get_subcommands()) {
    command = next.front();
  }
  return command;
}

/// "portunus-server owner-cap set"; the program alone for none.
std::string full_name(const CLI::App* command) {
  if (command == nullptr || command->get_parent() == nullptr) return kName;
  return full_name(command->get_parent()) + " " + command->get_name();
}

std::string help_text(const CLI::App& root, const CLI::App* command) {
  // Asked for its help, the root would answer with that of the command it has just parsed.
  const CLI::App& app = command == nullptr ? root : *command;
  return root.get_formatter()->make_help(&app, full_name(command), CLI::AppFormatMode::Normal);
}

int usage_error(Context& context, std::string_view what, const CLI::App* command) {
  print_error(context.err, what);
  context.err << "Try '" << full_name(command) << " --help'.\n";
  return kExitUsage;
}

int show_help(Context& context, const Grammar& grammar) {
  if (!grammar.help_topic) {
    context.out << help_text(grammar.root, nullptr);
    return kExitOk;
  }
  const std::string& topic = *grammar.help_topic;
  const auto named =
      grammar.root.get_subcommands([&](const CLI::App* app) { return app->get_name() == topic; });
  if (named.empty()) return usage_error(context, "no such command: " + topic, nullptr);
  context.out << help_text(grammar.root, named.front());
  return kExitOk;
}

int run_chosen(const Grammar& grammar, Context& context) {
  const CLI::App* command = chosen(grammar.root);
  if (command != nullptr && command == grammar.help) return show_help(context, grammar);
  const Action* action = command == nullptr ? nullptr : grammar.commands.action(*command);
  if (action == nullptr) {  // the program or a group, without the command it needs
    context.err << help_text(grammar.root, command);
    return kExitUsage;
  }
  if (command->get_name() == "serve") return (*action)(context, grammar.commands.globals());
  const LogScope log(context);
  return (*action)(context, grammar.commands.globals());
}

}  // namespace

int run(std::vector<std::string> arguments, Context& context) {
  try {
    Grammar grammar;
    try {
      grammar.root.parse(command_line::for_parser(std::move(arguments)));
    } catch (const CLI::CallForHelp&) {
      context.out << help_text(grammar.root, chosen(grammar.root));
      return kExitOk;
    } catch (const CLI::CallForVersion& version) {
      context.out << version.what() << '\n';
      return kExitOk;
    } catch (const CLI::ParseError& error) {
      return usage_error(context, error.what(), chosen(grammar.root));
    }
    return run_chosen(grammar, context);
  } catch (const std::exception& error) {
    print_error(context.err, error.what());
    return kExitFailure;
  }
}

}  // namespace portunus::server::cli
