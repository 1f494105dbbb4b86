#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "common/model/names.hpp"
#include "server/cli/api_call.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"
#include "server/http/url.hpp"

// user-*, credential-*, grant-* (cli-and-config 2.4): each one call of the API, whose answer is
// printed as it is.

namespace portunus::server::cli {
namespace {

struct PeopleOptions {
  std::string user_id;
  std::string display_name;
  std::string role = "user";
  bool password_from_stdin = false;
  /// What was read then.
  std::optional<Secret> initial_password;
  std::string credential_id;
  std::optional<std::string> label;
  std::string grant_id;
  std::optional<std::string> of_user;
  std::string client;
  std::uint16_t listen_port_start = 0;
  std::uint16_t listen_port_end = 0;
  std::string protocols = "tcp";
  std::optional<std::string> note;
  /// Both formats print the same.
  Format format = Format::json;
  ApiEndpoint endpoint;
};

std::string user_path(const PeopleOptions& options) {
  return "/v1/users/" + http::percent_encode(options.user_id);
}
std::string credentials_path(const PeopleOptions& options) {
  return user_path(options) + "/credentials";
}
std::string credential_path(const PeopleOptions& options) {
  return credentials_path(options) + "/" + http::percent_encode(options.credential_id);
}

ApiRequest without_body(ApiMethod method, std::string target) {
  return {method, std::move(target), std::nullopt};
}

Json label_body(const PeopleOptions& options) {
  Json body = Json::object();
  if (options.label) body["label"] = *options.label;
  return body;
}

/// "tcp,udp" as a list; whether the words are good is the server's to say.
Json protocol_list(std::string_view text) {
  Json list = Json::array();
  while (!model::trim(text).empty()) {
    const std::size_t comma = text.find(',');
    list.push_back(model::trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return list;
}

ApiRequest user_add(const PeopleOptions& options) {
  Json body{
      {"user_id", options.user_id}, {"display_name", options.display_name}, {"role", options.role}};
  if (options.initial_password) body["initial_password"] = options.initial_password->reveal();
  return with_body(ApiMethod::post, "/v1/users", body);
}
ApiRequest user_list(const PeopleOptions&) {
  return without_body(ApiMethod::get, "/v1/users");
}
ApiRequest user_get(const PeopleOptions& options) {
  return without_body(ApiMethod::get, user_path(options));
}
ApiRequest user_remove(const PeopleOptions& options) {
  return without_body(ApiMethod::remove, user_path(options));
}
ApiRequest credential_issue(const PeopleOptions& options) {
  return with_body(ApiMethod::post, credentials_path(options), label_body(options));
}
ApiRequest credential_list(const PeopleOptions& options) {
  return without_body(ApiMethod::get, credentials_path(options));
}
ApiRequest credential_revoke(const PeopleOptions& options) {
  return without_body(ApiMethod::remove, credential_path(options));
}
ApiRequest credential_rotate(const PeopleOptions& options) {
  return with_body(ApiMethod::post, credential_path(options) + "/rotate", label_body(options));
}
ApiRequest grant_add(const PeopleOptions& options) {
  Json body{{"user_id", options.user_id},
            {"client", options.client},
            {"listen_port_start", options.listen_port_start},
            {"listen_port_end", options.listen_port_end},
            {"protocols", protocol_list(options.protocols)}};
  if (options.note) body["note"] = *options.note;
  return with_body(ApiMethod::post, "/v1/grants", body);
}
ApiRequest grant_list(const PeopleOptions& options) {
  std::string target = "/v1/grants";
  if (options.of_user) target += "?user_id=" + http::percent_encode(*options.of_user);
  return without_body(ApiMethod::get, std::move(target));
}
ApiRequest grant_revoke(const PeopleOptions& options) {
  return without_body(ApiMethod::remove, "/v1/grants/" + http::percent_encode(options.grant_id));
}

struct Command {
  const char* name;
  const char* about;
  const char* example;
  ApiRequest (*request)(const PeopleOptions&);
  /// False: a success has no body and nothing is printed.
  bool answers = true;
};

int run_command(Context& context, PeopleOptions options, const Command& command) {
  if (!context.variable("PORTUNUS_OPERATOR_TOKEN")) {
    print_error(context.err,
                "unauthenticated (set PORTUNUS_OPERATOR_TOKEN env var with the operator bearer "
                "token)");
    return exit_code(CommandGroup::people, "unauthenticated");
  }
  if (options.password_from_stdin) {
    const SecretInput password = read_secret_line(context.in);
    if (!password) {
      print_error(context.err, "read_password_stdin: " + password.error());
      return kExitFailure;
    }
    options.initial_password = *password;
  }
  const ApiClient api = api_client(context, options.endpoint, context.limits.total);
  const ApiRequest request = command.request(options);
  if (!command.answers) {
    const auto done = call_without_answer(api, request);
    return done ? kExitOk : report(context.err, done.error(), CommandGroup::people);
  }
  const auto answer = call(api, request);
  if (!answer) return report(context.err, answer.error(), CommandGroup::people);
  context.out << pretty(*answer);
  return kExitOk;
}

using Options = std::shared_ptr<PeopleOptions>;

std::pair<CLI::App*, Options> add_command(Commands& commands, const Command& command) {
  auto options = std::make_shared<PeopleOptions>();
  CLI::App& app = commands.add(command.name, command.about,
                               std::string("Example:\n  portunus-server ") + command.example,
                               [options, command](Context& context, const Globals&) {
                                 return run_command(context, *options, command);
                               });
  add_http_endpoint(app, options->endpoint);
  if (command.answers) add_format(app, options->format);
  return {&app, options};
}

void add_user_commands(Commands& commands) {
  const auto [add, adding] = add_command(
      commands, {"user-add", "Create a user, without a token and with a password only if told",
                 "user-add alice --display-name 'Alice A.'", user_add});
  add_operand(*add, "user_id", "1..32 of a-z, 0-9, _ and -, the first a letter", adding->user_id);
  add_text(*add, "--display-name", "Name for people (1..64 bytes)", adding->display_name)
      ->required();
  add_text(*add, "--role", "user (default) or superadmin", adding->role);
  add_switch(*add, "--password-stdin", "Console password: the first line of stdin (12..1024 bytes)",
             adding->password_from_stdin);

  add_command(commands, {"user-list", "Show the users", "user-list", user_list});

  const auto [get, getting] =
      add_command(commands, {"user-get", "Show a user", "user-get alice", user_get});
  add_operand(*get, "user_id", "Id of the user", getting->user_id);

  const auto [remove, removing] =
      add_command(commands, {"user-remove", "Remove a user with tokens, grants and rules",
                             "user-remove alice", user_remove});
  add_operand(*remove, "user_id", "Id of the user", removing->user_id);
}

void add_credential_commands(Commands& commands) {
  const auto [issue, issuing] =
      add_command(commands, {"credential-issue", "Issue an API token, which is shown only now",
                             "credential-issue alice --label laptop", credential_issue});
  add_operand(*issue, "user_id", "Id of the user", issuing->user_id);
  add_text(*issue, "--label", "What the token is for", issuing->label);

  const auto [list, listing] =
      add_command(commands, {"credential-list", "Show a user's API tokens, without their text",
                             "credential-list alice", credential_list});
  add_operand(*list, "user_id", "Id of the user", listing->user_id);

  const auto [revoke, revoking] = add_command(
      commands, {"credential-revoke", "Refuse an API token from now on",
                 "credential-revoke alice 01J00000000000000000000001", credential_revoke, false});
  add_operand(*revoke, "user_id", "Id of the user", revoking->user_id);
  add_operand(*revoke, "credential_id", "Id of the token", revoking->credential_id);

  const auto [rotate, rotating] =
      add_command(commands, {"credential-rotate", "Replace an API token by a new one",
                             "credential-rotate alice 01J00000000000000000000001 --label laptop",
                             credential_rotate});
  add_operand(*rotate, "user_id", "Id of the user", rotating->user_id);
  add_operand(*rotate, "credential_id", "Id of the token", rotating->credential_id);
  add_text(*rotate, "--label", "What the new token is for", rotating->label);
}

void add_grant_commands(Commands& commands) {
  const auto [add, adding] =
      add_command(commands, {"grant-add", "Let a user push rules on ports of an edge",
                             "grant-add --user-id alice --client edge-01 --listen-port-start 30000 "
                             "--listen-port-end 30099 --protocols tcp,udp",
                             grant_add});
  add_text(*add, "--user-id", "Id of the user", adding->user_id)->required();
  add_text(*add, "--client", "Name or id of the edge, or * for all", adding->client)->required();
  add_number(*add, "--listen-port-start", "First port", adding->listen_port_start)->required();
  add_number(*add, "--listen-port-end", "Last port", adding->listen_port_end)->required();
  add_text(*add, "--protocols", "tcp (default), udp, or both with a comma", adding->protocols);
  add_text(*add, "--note", "What the grant is for", adding->note);

  const auto [list, listing] = add_command(
      commands, {"grant-list", "Show the grants", "grant-list --user-id alice", grant_list});
  add_text(*list, "--user-id", "Only those of this user", listing->of_user);

  const auto [revoke, revoking] =
      add_command(commands, {"grant-revoke", "Take a grant back, with the rules it alone covers",
                             "grant-revoke 01J00000000000000000000001", grant_revoke});
  add_operand(*revoke, "grant_id", "Id of the grant", revoking->grant_id);
}

}  // namespace

void add_people_commands(Commands& commands) {
  add_user_commands(commands);
  add_credential_commands(commands);
  add_grant_commands(commands);
}

}  // namespace portunus::server::cli
