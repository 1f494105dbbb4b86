#include <expected>
#include <ostream>
#include <span>
#include <utility>

#include "common/model/names.hpp"
#include "server/auth/errc.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/local_store.hpp"
#include "server/cli/output.hpp"
#include "server/store/audit_store.hpp"
#include "server/web_auth/errc.hpp"
#include "server/web_auth/password_reset.hpp"
#include "server/web_auth/setup_token.hpp"

namespace portunus::server::cli {
namespace {

struct ResetOptions {
  std::string user_id;
  bool from_stdin = false;
  bool temporary = false;
  bool keep_api_tokens = false;
};

/// Why a command ends, and with which exit.
struct Refusal {
  int exit = kExitFailure;
  std::string text;  ///< stands after "error: "
};

std::unexpected<Refusal> refused(int exit, std::string text) {
  return std::unexpected(Refusal{exit, std::move(text)});
}

std::expected<Secret, Refusal> read_stdin(Context& context) {
  const SecretInput line = read_secret_line(context.in);
  if (!line) return refused(kExitFailure, "read_password_stdin: " + line.error());
  return *line;
}

std::expected<Secret, Refusal> ask_twice(Context& context) {
  const SecretInput password = context.ask_secret("New password: ");
  if (!password) return refused(kExitFailure, "read_password_tty: " + password.error());
  const SecretInput again = context.ask_secret("Confirm password: ");
  if (!again) return refused(kExitFailure, "read_password_tty: " + again.error());
  if (password->reveal() != again->reveal()) return refused(kExitInvalid, "password_mismatch");
  return *password;
}

/// The request with its password; none for a temporary one, which is generated.
std::expected<web_auth::ResetRequest, Refusal> request_of(Context& context,
                                                          const ResetOptions& options) {
  web_auth::ResetRequest request;
  request.user_id = options.user_id;
  request.temporary = options.temporary;
  request.keep_api_tokens = options.keep_api_tokens;
  if (options.temporary) return request;
  auto password = options.from_stdin ? read_stdin(context) : ask_twice(context);
  if (!password) return std::unexpected(password.error());
  request.password = std::move(*password);
  return request;
}

Refusal refusal_of(const Error& error, const ResetOptions& options) {
  if (error == web_auth::Errc::user_not_found) {
    return {kExitNotFound, "user_not_found: " + options.user_id};
  }
  if (error == auth::Errc::password_too_short) {
    return {kExitInvalid, "password_too_short (at least 12 characters)"};
  }
  if (error == auth::Errc::password_too_long) {
    return {kExitInvalid, "password_too_long (at most 1024 bytes)"};
  }
  return {kExitFailure, error.text()};
}

int report(Context& context, const Refusal& refusal) {
  print_error(context.err, refusal.text);
  return refusal.exit;
}

/// The audit row of a reset that is done already, so a failure is only told of.
void record_reset(Context& context, store::Store& store, const web_auth::PasswordReset& done) {
  store::AuditRow row;
  row.at = context.clock.now();
  row.actor = "_local_cli";
  row.role = "superadmin";
  row.method = "CLI";
  row.path = "reset-password " + done.user_id;
  row.action = "operator.password_reset";
  row.resource_kind = "user";
  row.resource_value = done.user_id;
  row.details = web_auth::reset_details(done, true);
  const Result<> written = store.write_now([&](store::Connection& connection) {
    return store::insert_audit(connection, std::span(&row, 1));
  });
  if (!written) {
    context.err << "warning: audit_write_failed: " << written.error().text() << '\n';
  }
}

int reset_password(Context& context, const Globals& globals, const ResetOptions& options) {
  // A leading _ is reserved; such users exist only if the server made them.
  if (!options.user_id.starts_with('_') && !model::is_user_id(options.user_id)) {
    return report(context, {kExitInvalid, "invalid_user_id: " + options.user_id});
  }
  // Before anybody types a password in vain.
  const auto local = open_local_store(context, globals);
  if (!local) return cli::report(context.err, local.error());
  const auto request = request_of(context, options);
  if (!request) return report(context, request.error());
  const auto done = web_auth::reset_password_now(*local->store, *request, context.clock);
  if (!done) return report(context, refusal_of(done.error(), options));
  record_reset(context, *local->store, *done);
  context.out << "password_reset=ok user_id=" << done->user_id
              << " sessions_revoked=" << done->sessions_revoked
              << " api_tokens_revoked=" << done->api_tokens_revoked << '\n';
  if (done->generated) {
    context.out << "temporary_password=" << done->generated->reveal() << '\n';
  }
  return kExitOk;
}

int onboarding_token(Context& context, const Globals& globals) {
  const auto local = open_local_store(context, globals);
  if (!local) return cli::report(context.err, local.error());
  const auto token = web_auth::rotate_setup_token(*local->store, context.clock);
  if (!token) return report(context, {kExitFailure, token.error().text()});
  if (!*token) {
    return report(context, {kExitAlreadyExists,
                            "already_bootstrapped (an enabled superadmin already exists)"});
  }
  context.out << "setup_token=" << (*token)->reveal() << '\n';
  return kExitOk;
}

}  // namespace

void add_password_commands(Commands& commands) {
  commands.add(
      "onboarding-token", "Print a new setup token for the first sign-in of the console",
      "Valid for 30 minutes; replaces the earlier one. The server must not be running.\n\n"
      "Example:\n  portunus-server onboarding-token",
      [](Context& context, const Globals& globals) { return onboarding_token(context, globals); });

  const auto options = std::make_shared<ResetOptions>();
  CLI::App& app = commands.add(
      "reset-password", "Set the console password of a user",
      "Asks for the password unless told otherwise. Ends the user's sessions and revokes\n"
      "the API tokens. The server must not be running.\n\nExample:\n"
      "  portunus-server reset-password alice --temporary",
      [options](Context& context, const Globals& globals) {
        return reset_password(context, globals, *options);
      });
  add_operand(app, "user_id", "The user", options->user_id);
  CLI::Option* from_stdin =
      add_switch(app, "--password-stdin", "Take the first line of stdin", options->from_stdin);
  add_switch(app, "--temporary", "Generate one, to be changed at the next sign-in",
             options->temporary)
      ->excludes(from_stdin);
  add_switch(app, "--keep-api-tokens", "Revoke no API token", options->keep_api_tokens);
}

}  // namespace portunus::server::cli
