#include "server/cli/local_clients.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "common/config/server_config.hpp"
#include "common/config/tls_files.hpp"
#include "server/auth/errc.hpp"
#include "server/cli/exit_codes.hpp"
#include "server/cli/output.hpp"

namespace portunus::server::cli {
namespace {

constexpr std::uint16_t kDefaultControlPort = 7443;

/// The flag masks the variable even when it is empty (cli-and-config 2).
std::optional<std::string> find_seed(const Context& context, const Globals& globals) {
  if (!globals.advertised_endpoint) return context.variable("PORTUNUS_ADVERTISED_ENDPOINT");
  if (globals.advertised_endpoint->empty()) return std::nullopt;
  return globals.advertised_endpoint;
}

}  // namespace

LocalClients::LocalClients(LocalStore store, std::unique_ptr<auth::ClientService> service)
    : io_(std::make_unique<boost::asio::io_context>(1)),
      store_(std::move(store)),
      service_(std::move(service)) {}

Result<LocalClients> LocalClients::open(LocalStore store, const Context& context,
                                        const Globals& globals) {
  const auto config = config::load_server_config(store.dir);
  if (!config) return fail(config.error());
  const auto seed = find_seed(context, globals);
  auto tls = config::prepare_tls_files(
      {.certificate = config->tls_cert_path,
       .key = config->tls_key_path,
       .host = config::certificate_host(context.environment),
       .seed_host = seed ? auth::AdvertisedEndpoint::seed_host(*seed) : std::nullopt,
       .may_regenerate = false},
      context.clock);
  if (!tls) return fail(tls.error());
  const std::uint16_t configured = config->control_listen.port();
  auto service = std::make_unique<auth::ClientService>(
      *store.store, context.clock,
      auth::EnrollmentMaterial{std::move(tls->pair.certificate_pem), std::move(tls->fingerprint)},
      auth::AdvertisedEndpoint(seed, configured == 0 ? kDefaultControlPort : configured,
                               std::move(tls->names)));
  return LocalClients(std::move(store), std::move(service));
}

template <class T>
T LocalClients::finish(async::Task<T> task) {
  auto done = boost::asio::co_spawn(*io_, std::move(task), boost::asio::use_future);
  io_->restart();
  io_->run();
  return done.get();
}

Result<auth::IssuedEnrollment> LocalClients::enroll(std::string name,
                                                    std::optional<std::string> address,
                                                    std::int64_t ttl_secs) {
  return finish(service_->enroll_new(std::move(name), std::move(address), ttl_secs, std::nullopt));
}

Result<auth::IssuedEnrollment> LocalClients::reissue(std::string client, std::int64_t ttl_secs) {
  return finish(service_->enroll_again(std::move(client), ttl_secs, std::nullopt));
}

Result<> LocalClients::revoke(std::string client) {
  return finish(service_->revoke(std::move(client)));
}

Result<auth::ClientView> LocalClients::rename(std::string client, std::string name) {
  return finish(service_->rename(std::move(client), std::move(name)));
}

Result<std::vector<auth::ClientView>> LocalClients::list() {
  return finish(service_->list());
}

int report(std::ostream& err, const Error& error) {
  const bool endpoint =
      error == auth::Errc::endpoint_invalid || error == auth::Errc::endpoint_not_in_cert_san;
  print_error(err, endpoint ? "advertised_endpoint: " + error.text() : error.text());
  return exit_code(CommandGroup::client, error.code.message());
}

}  // namespace portunus::server::cli
