#include <ostream>

#include "common/crypto/random.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/errc.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/local_store.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

int refuse(Context& context, const Error& error) {
  if (error != auth::Errc::already_bootstrapped && error != auth::Errc::invalid_display_name) {
    print_error(context.err, error.text());
    return kExitFailure;
  }
  print_error(context.err, error.code.message() + " (" + error.detail + ")");
  return error == auth::Errc::already_bootstrapped ? kExitAlreadyExists : kExitInvalid;
}

int bootstrap(Context& context, const Globals& globals, const std::string& name) {
  const auto local = open_local_store(context, globals);
  if (!local) return report(context.err, local.error());
  const auto made = auth::bootstrap_superadmin(*local->store, name, context.clock);
  if (!made) return refuse(context, made.error());
  context.out << "superadmin user_id=" << made->user_id << " token=" << made->token.reveal()
              << '\n';
  return kExitOk;
}

int gen_token(Context& context) {
  context.out << crypto::random_token().reveal() << '\n';
  return kExitOk;
}

}  // namespace

void add_bootstrap_commands(Commands& commands) {
  const auto name = std::make_shared<std::string>("ops");
  CLI::App& app =
      commands.add("bootstrap-superadmin", "Create the first operator and print its API token",
                   "The token is shown this once. The server must not be running.\n\nExample:\n"
                   "  portunus-server bootstrap-superadmin --name 'On call'",
                   [name](Context& context, const Globals& globals) {
                     return bootstrap(context, globals, *name);
                   });
  add_text(app, "--name", "Display name (default ops)", *name);

  commands.add("gen-token", "Print a random token, such as for operator_token in server.toml",
               "Example:\n  portunus-server gen-token",
               [](Context& context, const Globals&) { return gen_token(context); });
}

}  // namespace portunus::server::cli
