#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "common/base/rfc3339.hpp"
#include "server/cli/api_call.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/client_views.hpp"
#include "server/cli/local_clients.hpp"
#include "server/cli/output.hpp"

// The dual commands: on the store while nobody holds it, through the API while a server runs
// (cli-and-config 2.1). Both ways print the same.

namespace portunus::server::cli {
namespace {

struct ClientOptions {
  std::string client;
  std::string new_name;
  std::optional<std::string> address;
  std::uint64_t ttl_secs = 600;
  bool reissue = false;
  Format format = Format::text;
  ApiEndpoint endpoint;

  /// A number too large for the API's integer is out of its range in any case.
  std::int64_t ttl() const {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(ttl_secs, kMost));
  }
};

/// `local` does the command on the store, `remote` through the API; each prints its result.
template <class Local, class Remote>
int run_dual(Context& context, const Globals& globals, const ApiEndpoint& endpoint, Local local,
             Remote remote) {
  auto store = open_local_store(context, globals);
  if (store) {
    auto clients = LocalClients::open(std::move(*store), context, globals);
    if (!clients) return report(context.err, clients.error());
    const Result<> done = local(*clients);
    return done ? kExitOk : report(context.err, done.error());
  }
  const StoreFailure& held = store.error();
  if (!held.in_use || !context.variable("PORTUNUS_OPERATOR_TOKEN")) {
    return report(context.err, held);
  }
  if (globals.advertised_endpoint) {
    context.err << "warning: --advertised-endpoint has no effect while a server runs; it decides "
                   "by its own\n";
  }
  const ApiResult<void> done = remote(api_client(context, endpoint, context.limits.total));
  if (done) return kExitOk;
  const int exit = report(context.err, done.error(), CommandGroup::client);
  return done.error().kind == ApiFailure::Kind::transport ? report(context.err, held) : exit;
}

ApiResult<void> usable(std::expected<void, std::string> printed) {
  if (!printed) return unusable(std::move(printed.error()));
  return {};
}

Result<> usable_locally(const std::expected<void, std::string>& printed) {
  if (!printed) return fail(Error(std::make_error_code(std::errc::bad_message), printed.error()));
  return {};
}

Result<> enroll_locally(LocalClients& clients, const ClientOptions& options, Context& context) {
  auto issued = options.reissue ? clients.reissue(options.client, options.ttl())
                                : clients.enroll(options.client, options.address, options.ttl());
  if (!issued) return fail(issued.error());
  print_issued_code(context.out,
                    {std::move(issued->client_name), issued->expires_at, std::move(issued->uri)});
  return {};
}

ApiResult<void> enroll_remotely(const ApiClient& api, const ClientOptions& options,
                                Context& context) {
  Json body{{"ttl_secs", options.ttl()}};
  ApiResult<std::string> target = "/v1/client-enrollments";
  if (options.reissue) {
    target = client_path(options.client, "/enrollment");
  } else {
    body["name"] = options.client;
    if (options.address) body["address"] = *options.address;
  }
  if (!target) return std::unexpected(target.error());
  const auto answer = call(api, with_body(ApiMethod::post, std::move(*target), body));
  if (!answer) return std::unexpected(answer.error());
  const auto issued = issued_code(*answer);
  if (!issued) return unusable(issued.error());
  print_issued_code(context.out, *issued);
  return {};
}

int enroll_client(Context& context, const Globals& globals, const ClientOptions& options) {
  if (options.reissue && options.address) {
    context.err << "warning: --address has no effect with --reissue\n";
  }
  return run_dual(
      context, globals, options.endpoint,
      [&](LocalClients& clients) { return enroll_locally(clients, options, context); },
      [&](const ApiClient& api) { return enroll_remotely(api, options, context); });
}

int revoke(Context& context, const Globals& globals, const ClientOptions& options) {
  return run_dual(
      context, globals, options.endpoint,
      [&](LocalClients& clients) { return clients.revoke(options.client); },
      [&](const ApiClient& api) -> ApiResult<void> {
        auto target = client_path(options.client, "/revoke");
        if (!target) return std::unexpected(target.error());
        return call_without_answer(api, {ApiMethod::post, std::move(*target), std::nullopt});
      });
}

/// As the API has it (http-api 7.1); on the store nobody is connected.
Json client_json(const auth::ClientView& client) {
  const auto& row = client.row;
  return Json{{"client_id", row.client_id},
              {"client_name", row.name},
              {"provisioned_at", format_rfc3339(row.provisioned_at)},
              {"revoked_at", row.revoked_at ? Json(format_rfc3339(*row.revoked_at)) : Json()},
              {"connected", false},
              {"client_address", row.address ? Json(*row.address) : Json()},
              {"remote_addr", nullptr},
              {"connected_at", nullptr}};
}

Result<> rename_locally(LocalClients& clients, const ClientOptions& options, Context& context) {
  const auto renamed = clients.rename(options.client, options.new_name);
  if (!renamed) return fail(renamed.error());
  return usable_locally(print_renamed(context.out, client_json(*renamed)));
}

ApiResult<void> rename_remotely(const ApiClient& api, const ClientOptions& options,
                                Context& context) {
  auto target = client_path(options.client, "/name");
  if (!target) return std::unexpected(target.error());
  const auto answer = call(api, with_body(ApiMethod::patch, std::move(*target),
                                          Json{{"client_name", options.new_name}}));
  if (!answer) return std::unexpected(answer.error());
  return usable(print_renamed(context.out, *answer));
}

int rename_client(Context& context, const Globals& globals, const ClientOptions& options) {
  return run_dual(
      context, globals, options.endpoint,
      [&](LocalClients& clients) { return rename_locally(clients, options, context); },
      [&](const ApiClient& api) { return rename_remotely(api, options, context); });
}

Result<> list_locally(LocalClients& clients, const ClientOptions& options, Context& context) {
  const auto rows = clients.list();
  if (!rows) return fail(rows.error());
  Json list = Json::array();
  for (const auth::ClientView& row : *rows) list.push_back(client_json(row));
  return usable_locally(print_clients(context.out, list, options.format));
}

int list_clients(Context& context, const Globals& globals, const ClientOptions& options) {
  return run_dual(
      context, globals, options.endpoint,
      [&](LocalClients& clients) { return list_locally(clients, options, context); },
      [&](const ApiClient& api) -> ApiResult<void> {
        const auto answer = call(api, {ApiMethod::get, "/v1/clients", std::nullopt});
        if (!answer) return std::unexpected(answer.error());
        return usable(print_clients(context.out, *answer, options.format));
      });
}

void add_enroll_client(Commands& commands) {
  const auto enrolling = std::make_shared<ClientOptions>();
  CLI::App& enroll = commands.add(
      "enroll-client", "Issue a one-time code that lets an edge join",
      "Prints the command to run on the edge. A newer code for the same edge voids older ones.\n\n"
      "Examples:\n"
      "  portunus-server enroll-client edge-01 --address edge-01.example.com\n"
      "  portunus-server enroll-client edge-01 --reissue --ttl-secs 3600",
      [enrolling](Context& context, const Globals& globals) {
        return enroll_client(context, globals, *enrolling);
      });
  add_operand(enroll, "name", "1..63 of a-z, 0-9 and inner single hyphens", enrolling->client);
  add_text(enroll, "--address", "Host name or IP under which users reach the edge",
           enrolling->address)
      ->type_name("HOST");
  add_number(enroll, "--ttl-secs", "How long the code is good (default 600, 1..86400)",
             enrolling->ttl_secs);
  add_switch(enroll, "--reissue", "For an edge that exists, by name or id; lifts a revocation",
             enrolling->reissue);
  add_http_endpoint(enroll, enrolling->endpoint);
}

void add_rename_client(Commands& commands) {
  const auto renaming = std::make_shared<ClientOptions>();
  CLI::App& rename = commands.add(
      "rename-client", "Give an edge another name",
      "The edge keeps its id, token, session, rules, limits, quotas and history; grants follow.\n\n"
      "Example:\n"
      "  portunus-server rename-client --client-id 01J00000000000000000000001 --name edge-02",
      [renaming](Context& context, const Globals& globals) {
        return rename_client(context, globals, *renaming);
      });
  add_text(rename, "--client-id", "Id of the edge (list-clients --format json), or its name",
           renaming->client)
      ->required()
      ->type_name("ID");
  add_text(rename, "--name", "The new name: 1..63 of a-z, 0-9 and inner single hyphens",
           renaming->new_name)
      ->required();
  add_http_endpoint(rename, renaming->endpoint);
}

}  // namespace

void add_client_commands(Commands& commands) {
  add_enroll_client(commands);

  const auto revoking = std::make_shared<ClientOptions>();
  CLI::App& cut = commands.add("revoke", "Refuse an edge from now on and cut its session",
                               "Unknown and already revoked names are no error.\n\nExample:\n"
                               "  portunus-server revoke edge-01",
                               [revoking](Context& context, const Globals& globals) {
                                 return revoke(context, globals, *revoking);
                               });
  add_operand(cut, "name", "Name or id of the edge", revoking->client);
  add_http_endpoint(cut, revoking->endpoint);

  const auto listing = std::make_shared<ClientOptions>();
  CLI::App& list = commands.add("list-clients", "Show the edges and whether they are connected",
                                "Example:\n  portunus-server list-clients --format json",
                                [listing](Context& context, const Globals& globals) {
                                  return list_clients(context, globals, *listing);
                                });
  add_format(list, listing->format);
  add_http_endpoint(list, listing->endpoint);

  add_rename_client(commands);
}

}  // namespace portunus::server::cli
