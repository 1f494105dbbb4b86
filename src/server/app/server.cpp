#include "server/app/server.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "common/config/tls_files.hpp"
#include "common/log/logger.hpp"
#include "server/app/data_store.hpp"
#include "server/audit/audit_log.hpp"
#include "server/audit/retention.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/client_listener.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/endpoint_settings.hpp"
#include "server/auth/password_hasher.hpp"
#include "server/control/control_server.hpp"
#include "server/http/api/api.hpp"
#include "server/http/http_listener.hpp"
#include "server/metrics/exposition.hpp"
#include "server/metrics/metrics.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/people/authorization.hpp"
#include "server/people/people.hpp"
#include "server/people/people_listener.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/rules/rule_listener.hpp"
#include "server/rules/rule_service.hpp"
#include "server/traffic/rollup.hpp"
#include "server/traffic/traffic_history.hpp"
#include "server/web_auth/setup_token.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::steady_clock::duration kWriteBound = std::chrono::seconds(10);

/// Carries news between parts of the domain that do not know each other: of clients from auth to
/// those who keep records of them, of collected caps from the rules to the owner caps, of what went
/// with a user or a grant from people to the rules and the owner caps.
class DomainNews final : public auth::ClientListener,
                         public rules::RuleListener,
                         public people::PeopleListener {
 public:
  DomainNews(rules::RuleService& rules, owner_caps::OwnerCapService& owner_caps,
             quotas::QuotaService& quotas)
      : rules_(rules), owner_caps_(owner_caps), quotas_(quotas) {}

  void on_client_enrolled(std::string_view client_id, std::string_view name) override {
    rules_.on_client_enrolled(client_id, name);
    owner_caps_.on_client_enrolled(client_id, name);
    quotas_.on_client_enrolled(client_id, name);
  }
  void on_client_changed(std::string_view client_id, std::string_view name) override {
    rules_.on_client_changed(client_id, name);
    owner_caps_.on_client_changed(client_id, name);
    quotas_.on_client_changed(client_id, name);
  }
  void on_client_removed(std::string_view client_id) override {
    rules_.on_client_removed(client_id);
    owner_caps_.on_client_removed(client_id);
    quotas_.on_client_removed(client_id);
  }
  void on_caps_collected(const store::ClientRef& client, std::string_view owner_id) override {
    owner_caps_.on_collected(client, owner_id);
  }
  void on_rules_removed(std::span<const store::RemovedRule> rules) override {
    rules_.on_removed(rules);
  }
  void on_caps_removed(const store::ClientRef& client, std::string_view owner_id) override {
    owner_caps_.on_collected(client, owner_id);
  }

 private:
  rules::RuleService& rules_;
  owner_caps::OwnerCapService& owner_caps_;
  quotas::QuotaService& quotas_;
};

/// The setup token of this start, nothing when onboarding is closed.
Result<std::optional<Secret>> identities_ready(store::Store& store, const ServerOptions& options,
                                               const Clock& clock) {
  const auto counted = auth::log_identities(store, options.dir.database());
  if (!counted) return fail(counted.error());
  if (!options.config.operator_token.empty()) {
    const auto done = auth::bootstrap_legacy(store, options.config.operator_token, clock);
    if (!done) return fail(done.error());
  }
  return web_auth::rotate_setup_token(store, clock);
}

/// The one secret that is written to stderr, as a plain line (observability 1).
void announce(const Secret& setup_token) {
  std::fprintf(stderr, "Portunus onboarding setup token: %s\n", setup_token.reveal().c_str());
}

std::string listen_error(std::string_view key, const Error& error) {
  return std::string(key) + " " + error.detail + ": " + error.code.message();
}

control::ControlOptions control_options(const ServerOptions& options,
                                        const config::TlsMaterial& tls) {
  control::ControlOptions out;
  out.listen = options.config.control_listen;
  out.pair = tls.pair;
  out.udp_flow_idle_secs = options.config.udp_flow_idle_secs;
  out.udp_max_flows_per_rule = options.config.udp_max_flows_per_rule;
  return out;
}

/// The scrape listener: GET /metrics and nothing else, for anyone who reaches loopback.
async::Task<http::Response> answer_scrape(metrics::Metrics& metrics, http::Request request) {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  if (request.path != "/metrics") co_return http::make_response(404, kText, "not found\n");
  if (request.method != http::Method::get && request.method != http::Method::head) {
    http::Response refusal = http::make_response(405, kText, "method not allowed\n");
    refusal.headers.push_back({"Allow", "GET, HEAD"});
    co_return refusal;
  }
  Result<std::string> text = co_await metrics.scrape();
  if (!text) {
    log::log(log::Event::operator_store_error, {{"error", text.error().text()}});
    co_return http::make_response(500, kText, "store_error\n");
  }
  co_return http::make_response(200, metrics::kContentType, std::move(*text));
}

}  // namespace

class Server::Impl {
 public:
  Impl(asio::io_context& domain, const ServerOptions& options, DataStore data,
       const config::TlsMaterial& tls, const Clock& clock)
      : options_(options),
        data_(std::move(data)),
        audit_(domain.get_executor(), *data_.store, clock),
        audit_retention_(domain.get_executor(), *data_.store, clock),
        bearer_(*data_.store, clock),
        web_auth_(domain.get_executor(), *data_.store, hasher_, clock),
        clients_(*data_.store, clock, {tls.pair.certificate_pem, tls.fingerprint},
                 auth::AdvertisedEndpoint(options.seed, options.config.control_listen.port(),
                                          tls.names)),
        rules_(domain.get_executor(), *data_.store, clock,
               {.max_ports = options.config.range_rule_max_ports}),
        owner_caps_(*data_.store, clock),
        quotas_(domain.get_executor(), *data_.store, clock),
        people_(*data_.store, clock,
                [this](Secret password) { return hasher_.hash_new(std::move(password)); }),
        endpoint_(*data_.store, clients_.endpoint()),
        rollup_(domain.get_executor(), *data_.store, clock),
        traffic_(*data_.store, clock),
        news_(rules_, owner_caps_, quotas_),
        control_(domain.get_executor(), {clients_, rules_, owner_caps_, quotas_}, clock,
                 control_options(options, tls)),
        metrics_({clients_, rules_, owner_caps_, quotas_, *data_.store,
                  [this] { return auth_failures(); }, audit_}),
        api_({bearer_, web_auth_, clients_, rules_, owner_caps_, quotas_, people_, metrics_,
              traffic_, endpoint_, audit_},
             {options.config.operator_http_public_origin}),
        operator_http_(domain.get_executor(), domain.get_executor(),
                       [this](http::Request r) { return api_.handle(std::move(r)); }),
        metrics_http_(domain.get_executor(), domain.get_executor(),
                      [this](http::Request r) { return answer_scrape(metrics_, std::move(r)); }) {
    const control::EdgeSinks edges = control_.sinks();
    rules_.set_sink(&edges.rules);
    rules_.set_listener(&news_);
    rules_.set_rights(people::find_owners_miss);
    people_.set_listener(&news_);
    owner_caps_.set_sink(&edges.owner_caps);
    quotas_.set_sink(&edges.quotas);
    clients_.set_sink(&edges.sessions);
    clients_.add_listener(&news_);
    clients_.add_listener(&edges.clients);
  }

  Started<void> listen();
  async::Task<> report_store();
  async::Task<bool> stop(std::chrono::steady_clock::duration grace);

  Listening listening_;

 private:
  std::map<std::string, std::uint64_t> auth_failures() const { return control_.auth_failures(); }

  const ServerOptions options_;
  DataStore data_;
  audit::AuditLog audit_;
  audit::Retention audit_retention_;
  auth::BearerAuth bearer_;
  auth::PasswordHasher hasher_;
  web_auth::WebAuth web_auth_;
  auth::ClientService clients_;
  rules::RuleService rules_;
  owner_caps::OwnerCapService owner_caps_;
  quotas::QuotaService quotas_;
  people::People people_;
  auth::EndpointSettings endpoint_;
  traffic::Rollup rollup_;
  traffic::TrafficHistory traffic_;
  DomainNews news_;
  control::ControlServer control_;
  metrics::Metrics metrics_;
  http::api::Api api_;
  http::HttpListener operator_http_;
  http::HttpListener metrics_http_;
};

Started<void> Server::Impl::listen() {
  owner_caps_.hydrate();
  quotas_.hydrate();
  if (const auto loaded = rules_.hydrate(); !loaded) return startup_failed(loaded.error().text());
  const net::Endpoint& scrape = options_.config.metrics_listen;
  if (!scrape.address().is_loopback()) {
    return startup_failed("metrics_listen " + scrape.text() + " is not a loopback address");
  }
  const auto metrics = metrics_http_.listen(scrape);
  if (!metrics) return startup_failed(listen_error("metrics_listen", metrics.error()));
  const auto http = operator_http_.listen(options_.config.operator_http_listen);
  if (!http) return startup_failed(listen_error("operator_http_listen", http.error()));
  const auto grpc = control_.start();
  if (!grpc) return startup_failed(listen_error("control_listen", grpc.error()));
  clients_.set_control_port(grpc->port());
  // Last, because nothing can fail any more: what has started must be stopped in the event loop.
  operator_http_.start();
  metrics_http_.start();
  quotas_.start();
  rollup_.start();
  audit_.start();
  audit_retention_.start();
  listening_ = {*grpc, *http, *metrics};
  return {};
}

async::Task<> Server::Impl::report_store() {
  const auto counts = co_await data_.store->read(auth::count_identities);
  if (!counts) {
    log::log(log::Event::operator_store_error, {{"error", counts.error().text()}});
    co_return;
  }
  log::log(log::Event::operator_store_reloaded,
           {{"path", options_.dir.database().string()},
            {"users", counts->users},
            {"grants", counts->grants},
            {"superadmin_present", counts->superadmin},
            {"outcome", "ok"},
            {"note", "nothing is reloaded while the server runs"}});
}

async::Task<bool> Server::Impl::stop(std::chrono::steady_clock::duration grace) {
  const auto deadline = std::chrono::steady_clock::now() + grace;
  const auto left = [&] {
    return std::max(deadline - std::chrono::steady_clock::now(),
                    std::chrono::steady_clock::duration::zero());
  };
  operator_http_.request_stop();
  metrics_http_.request_stop();
  audit_retention_.request_stop();
  // Ends the waits for edges, whose answers the HTTP callers are still to get.
  rules_.request_stop();
  rollup_.request_stop();
  co_await control_.stop(left());
  co_await operator_http_.drain(left());
  co_await metrics_http_.drain(left());
  // What is being written is waited for beyond the window: it has bounds of its own.
  bool quiet = co_await rules_.drain(std::max(left(), kWriteBound));
  // After the last report of the last session.
  quotas_.request_stop();
  quiet = co_await quotas_.drain(std::max(left(), kWriteBound)) && quiet;
  quiet = co_await rollup_.drain(std::max(left(), kWriteBound)) && quiet;
  web_auth_.request_stop();
  quiet = co_await web_auth_.drain(std::max(left(), kWriteBound)) && quiet;
  quiet = co_await audit_retention_.drain(std::max(left(), kWriteBound)) && quiet;
  // Last: whoever records has ended.
  audit_.request_stop();
  quiet = co_await audit_.drain(std::max(left(), kWriteBound)) && quiet;
  data_.store->close();
  co_return quiet&& operator_http_.connections() == 0 && metrics_http_.connections() == 0;
}

Started<std::unique_ptr<Server>> Server::start(asio::io_context& domain, ServerOptions options,
                                               const Clock& clock) {
  auto data = open_data_store(options.dir);
  if (!data) return std::unexpected(std::move(data.error()));
  const auto tls = config::prepare_tls_files(
      {.certificate = options.config.tls_cert_path,
       .key = options.config.tls_key_path,
       .host = options.certificate_host,
       .seed_host = options.seed ? auth::AdvertisedEndpoint::seed_host(*options.seed)
                                 : std::optional<std::string>(),
       .may_regenerate = true},
      clock);
  if (!tls) return startup_failed(tls.error().text());
  const auto ready = identities_ready(*data->store, options, clock);
  if (!ready) return startup_failed(ready.error().text());

  auto impl = std::make_unique<Impl>(domain, options, std::move(*data), *tls, clock);
  auto server = std::unique_ptr<Server>(new Server(std::move(impl)));
  const auto listening = server->impl_->listen();
  if (!listening) return std::unexpected(listening.error());
  if (*ready) announce(**ready);
  return server;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

const Server::Listening& Server::listening() const {
  return impl_->listening_;
}
async::Task<> Server::report_store() {
  return impl_->report_store();
}
async::Task<bool> Server::stop(std::chrono::steady_clock::duration grace) {
  return impl_->stop(grace);
}

}  // namespace portunus::server::app
