#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "server/cli/api_call.hpp"
#include "server/cli/arguments.hpp"
#include "server/cli/cap_arguments.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"
#include "server/cli/owner_cap_views.hpp"
#include "server/http/url.hpp"

// owner-cap list, get, set, delete (cli-and-config 2.4).

namespace portunus::server::cli {
namespace {

struct OwnerCapOptions {
  std::string client;
  std::string owner;
  CapArguments caps;
  Format format = Format::text;
  ApiEndpoint endpoint;
};

/// What a command asks for: "/v1/clients/{client}" and the rest.
ApiResult<std::string> target_of(const OwnerCapOptions& options, bool of_owner) {
  const std::string rest = "/" + http::percent_encode(options.owner) + "/rate-limit";
  return client_path(options.client, "/owners" + (of_owner ? rest : std::string{}));
}

ApiClient api(const Context& context, const OwnerCapOptions& options) {
  return api_client(context, options.endpoint, context.limits.total);
}

/// Sends the request and prints its answer by `print`, which says why when it cannot.
template <class Print>
int show(Context& context, const OwnerCapOptions& options, ApiRequest request, Print print) {
  const auto answer = call(api(context, options), request);
  if (!answer) return report(context.err, answer.error(), CommandGroup::owner_cap);
  const std::expected<void, std::string> printed = print(*answer);
  if (printed) return kExitOk;
  return report(context.err, unusable(printed.error()).error(), CommandGroup::owner_cap);
}

int list_owners(Context& context, const OwnerCapOptions& options, std::string target) {
  return show(
      context, options, {ApiMethod::get, std::move(target), std::nullopt},
      [&](const Json& owners) { return print_owners(context.out, owners, options.format); });
}

int get_caps(Context& context, const OwnerCapOptions& options, std::string target) {
  return show(
      context, options, {ApiMethod::get, std::move(target), std::nullopt},
      [&](const Json& caps) { return print_owner_caps(context.out, caps, options.format); });
}

int set_caps(Context& context, const OwnerCapOptions& options, std::string target) {
  const Json caps = caps_json(options.caps);
  if (caps.empty()) {
    print_error(context.err,
                "validation.rate_limit_no_caps_provided (give at least one cap; `owner-cap delete` "
                "removes them)");
    return kExitInvalid;
  }
  return show(context, options, with_body(ApiMethod::put, std::move(target), caps),
              [&](const Json& answer) {
                return print_caps_set(context.out, answer, options.client, options.owner);
              });
}

int delete_caps(Context& context, const OwnerCapOptions& options, std::string target) {
  const auto done = call_without_answer(api(context, options),
                                        {ApiMethod::remove, std::move(target), std::nullopt});
  if (!done) return report(context.err, done.error(), CommandGroup::owner_cap);
  context.out << "owner-cap deleted client=" << printable(options.client)
              << " owner=" << printable(options.owner) << '\n';
  return kExitOk;
}

struct Leaf {
  const char* name;
  const char* about;
  const char* example;
  int (*action)(Context&, const OwnerCapOptions&, std::string target);
  bool of_owner;
};

/// Client, and where it is about one of them, owner.
std::pair<CLI::App*, std::shared_ptr<OwnerCapOptions>> add_leaf(Commands& commands, CLI::App& group,
                                                                const Leaf& leaf) {
  auto options = std::make_shared<OwnerCapOptions>();
  CLI::App& app =
      commands.add_to(group, leaf.name, leaf.about,
                      std::string("Example:\n  portunus-server owner-cap ") + leaf.example,
                      [options, leaf](Context& context, const Globals&) {
                        auto target = target_of(*options, leaf.of_owner);
                        if (target) return leaf.action(context, *options, std::move(*target));
                        return report(context.err, target.error(), CommandGroup::client);
                      });
  add_operand(app, "client", "Name or id of the edge", options->client);
  if (leaf.of_owner) add_operand(app, "owner", "Id of the owner", options->owner);
  add_http_endpoint(app, options->endpoint);
  return {&app, options};
}

}  // namespace

void add_owner_cap_commands(Commands& commands) {
  CLI::App& group = commands.add_group(
      "owner-cap", "Limit what an owner's rules use together on an edge",
      "They hold for all rules of the owner on that edge together, beside those of each rule, and\n"
      "go with the owner's last rule there.");

  const auto [list, listing] =
      add_leaf(commands, group,
               {"list", "Show the owners on an edge and whether they are limited", "list edge-01",
                list_owners, false});
  add_format(*list, listing->format);

  const auto [get, reading] = add_leaf(
      commands, group,
      {"get", "Show an owner's limits", "get edge-01 alice --format json", get_caps, true});
  add_format(*get, reading->format);

  const auto [set, setting] =
      add_leaf(commands, group,
               {"set", "Replace an owner's limits; what is not given is unlimited",
                "set edge-01 alice --bandwidth-out-bps 1048576 --concurrent-connections 100",
                set_caps, true});
  add_cap_flags(*set, setting->caps);

  add_leaf(commands, group,
           {"delete", "Take an owner's limits away", "delete edge-01 alice", delete_caps, true});
}

}  // namespace portunus::server::cli
