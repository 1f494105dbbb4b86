#include "server/cli/arguments.hpp"

#include <algorithm>
#include <utility>

namespace portunus::server::cli {

Commands::Commands(CLI::App& root) : root_(root) {
  add_globals(root, before_);
}

void Commands::add_globals(CLI::App& app, Globals& into) {
  add_text(app, "--data-dir", "Folder of the server's state and TLS files", into.data_dir)
      ->type_name("PATH")
      ->group("Global options");
  add_text(app, "--advertised-endpoint", "What edges dial; empty: none, also not the variable's",
           into.advertised_endpoint)
      ->type_name("HOST:PORT")
      ->group("Global options");
}

CLI::App& Commands::add(const std::string& name, const std::string& about,
                        const std::string& examples, Action action) {
  return add_to(root_, name, about, examples, std::move(action));
}

CLI::App& Commands::add_group(const std::string& name, const std::string& about,
                              const std::string& notes) {
  CLI::App& group = *root_.add_subcommand(name, about);
  group.require_subcommand(0, 1);
  group.footer(notes);
  add_globals(group, between_);
  return group;
}

CLI::App& Commands::add_to(CLI::App& group, const std::string& name, const std::string& about,
                           const std::string& examples, Action action) {
  CLI::App& command = *group.add_subcommand(name, about);
  command.footer(examples);
  add_globals(command, after_);
  actions_.emplace_back(&command, std::move(action));
  return command;
}

const Action* Commands::action(const CLI::App& command) const {
  const auto found =
      std::ranges::find(actions_, &command, [](const auto& entry) { return entry.first; });
  return found == actions_.end() ? nullptr : &found->second;
}

Globals Commands::globals() const {
  Globals out = after_;
  for (const Globals* earlier : {&between_, &before_}) {
    if (!out.data_dir) out.data_dir = earlier->data_dir;
    if (!out.advertised_endpoint) out.advertised_endpoint = earlier->advertised_endpoint;
  }
  return out;
}

void add_operand(CLI::App& app, const std::string& name, const std::string& about,
                 std::string& into) {
  add_text(app, name, about, into)->required()->type_name("");
}

void add_format(CLI::App& app, Format& into) {
  const auto read = [&into](const std::string& text) {
    if (text != "text" && text != "json") {
      throw CLI::ValidationError("--format", "neither text nor json: " + text);
    }
    into = text == "json" ? Format::json : Format::text;
  };
  const bool text = into == Format::text;
  app.add_option_function<std::string>(
         "--format", read, text ? "Of the result (default text)" : "Of the result (default json)")
      ->type_name("text|json");
}

void add_http_endpoint(CLI::App& app, ApiEndpoint& into) {
  into = ApiEndpoint::parse(kDefaultApiEndpoint).value();
  const auto read = [&into](const std::string& text) {
    auto endpoint = ApiEndpoint::parse(text);
    if (!endpoint) throw CLI::ValidationError("--http-endpoint", "not host:port: " + text);
    into = std::move(*endpoint);
  };
  app.add_option_function<std::string>(
         "--http-endpoint", read,
         "Where the server's API listens (default " + std::string(kDefaultApiEndpoint) + ")")
      ->type_name("HOST:PORT");
}

ApiClient api_client(const Context& context, const ApiEndpoint& endpoint,
                     std::chrono::milliseconds total) {
  std::optional<Secret> token;
  if (auto value = context.variable("PORTUNUS_OPERATOR_TOKEN")) token.emplace(std::move(*value));
  return ApiClient({.endpoint = endpoint,
                    .token = std::move(token),
                    .connect_timeout = context.limits.connect,
                    .total_timeout = total});
}

}  // namespace portunus::server::cli
