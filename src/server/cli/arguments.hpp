#pragma once

#include <CLI/App.hpp>
#include <charconv>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/secret.hpp"
#include "common/command_line/options.hpp"
#include "server/cli/api_client.hpp"
#include "server/cli/client_views.hpp"
#include "server/cli/context.hpp"

namespace portunus::server::cli {

/// The flags that work before and after the subcommand, and inside "audit prune" between its two
/// words. Given twice, the later place wins.
struct Globals {
  std::optional<std::string> data_dir;
  std::optional<std::string> advertised_endpoint;
};

using Action = std::function<int(Context&, const Globals&)>;

/// The commands of the program while one command line is parsed: CLI11's tree and what each leaf
/// does. Option values live in objects that the actions share with the parser.
class Commands {
 public:
  explicit Commands(CLI::App& root);

  /// A new subcommand with the global flags; `examples` end its help.
  CLI::App& add(const std::string& name, const std::string& about, const std::string& examples,
                Action action);

  /// A subcommand whose own subcommands do the work, and one of those; both with the global flags.
  CLI::App& add_group(const std::string& name, const std::string& about, const std::string& notes);
  CLI::App& add_to(CLI::App& group, const std::string& name, const std::string& about,
                   const std::string& examples, Action action);

  CLI::App& root() { return root_; }
  /// Null for a group.
  const Action* action(const CLI::App& command) const;
  Globals globals() const;

 private:
  void add_globals(CLI::App& app, Globals& into);

  CLI::App& root_;
  Globals before_;
  Globals between_;  ///< a group and its command
  Globals after_;
  std::vector<std::pair<const CLI::App*, Action>> actions_;
};

using command_line::add_switch;
using command_line::add_text;

/// A required positional.
void add_operand(CLI::App& app, const std::string& name, const std::string& about,
                 std::string& into);
/// --format text|json; what `into` holds is the default.
void add_format(CLI::App& app, Format& into);
/// --http-endpoint host:port
void add_http_endpoint(CLI::App& app, ApiEndpoint& into);

/// A decimal number that fits T, digits only; anything else is a usage error.
template <std::unsigned_integral T>
T parse_number(const std::string& name, const std::string& text) {
  T value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) {
    throw CLI::ValidationError(
        name, "not a number from 0 to " + std::to_string(static_cast<T>(-1)) + ": " + text);
  }
  return value;
}

/// A flag or a positional (a name without dashes) that takes a number; T or optional<T>.
template <class Into>
CLI::Option* add_number(CLI::App& app, const std::string& name, const std::string& about,
                        Into& into) {
  const auto read = [&into, name](const std::string& text) {
    if constexpr (std::unsigned_integral<Into>) {
      into = parse_number<Into>(name, text);
    } else {
      into = parse_number<typename Into::value_type>(name, text);
    }
  };
  return app.add_option_function<std::string>(name, read, about)->type_name("N");
}

/// The API with the operator's token, if there is one, and the limits of its command.
ApiClient api_client(const Context& context, const ApiEndpoint& endpoint,
                     std::chrono::milliseconds total);

/// Each file of commands adds its own.
void add_bootstrap_commands(Commands& commands);
void add_password_commands(Commands& commands);
void add_client_commands(Commands& commands);
void add_rule_commands(Commands& commands);
void add_owner_cap_commands(Commands& commands);
void add_people_commands(Commands& commands);
void add_audit_commands(Commands& commands);
void add_store_commands(Commands& commands);
void add_completion_command(Commands& commands);

}  // namespace portunus::server::cli
