#include "server/control/session_hub.hpp"

#include <utility>

#include "common/log/logger.hpp"
#include "server/control/edge_link.hpp"
#include "server/control/enroll_call.hpp"
#include "server/control/refusal.hpp"

namespace portunus::server::control {
namespace {

/// Streams and enrollments that may wait for the store at once. Enough for every edge of a large
/// fleet to return in the same instant; a bound, because nobody of them is known yet.
constexpr std::size_t kMaxPendingCalls = 8192;

grpc::Status unavailable(std::string_view message) {
  return {grpc::StatusCode::UNAVAILABLE, std::string(message)};
}

}  // namespace

SessionHub::SessionHub(boost::asio::any_io_executor domain, ClientAuthority& clients,
                       RuleFeed& rules, const LimitFeed& limits, const Clock& clock,
                       HubSettings settings)
    : domain_(std::move(domain)),
      clients_(clients),
      rules_(rules),
      limits_(limits),
      clock_(clock),
      settings_(settings),
      calls_(domain_) {}

void SessionHub::admit(std::shared_ptr<EdgeLink> link) {
  ++streams_;
  if (stopping_) return link->refuse(unavailable("server_shutdown"));
  if (calls_.size() >= kMaxPendingCalls) return link->refuse(unavailable("server_busy"));
  calls_.spawn(authenticate(std::move(link)));
}

async::Task<> SessionHub::authenticate(std::shared_ptr<EdgeLink> link) {
  for (;;) {
    const std::uint64_t epoch = name_epoch_;
    const Result<EdgeIdentity> client = co_await clients_.authenticate(link->authorization());
    if (stopping_) {
      link->refuse(unavailable("server_shutdown"));
    } else if (link->gone()) {
      link->refuse(grpc::Status::CANCELLED);
    } else if (!client) {
      const BearerRefusal refusal = refuse_bearer(client.error());
      ++auth_failures_[std::string(refusal.reason)];
      log::log(log::Event::auth_failure, {{"reason", refusal.reason}});
      link->refuse(refusal.status);
    } else if (epoch != name_epoch_) {
      continue;
    } else {
      start_session(*link, *client);  // at once: see ClientService::authenticate
    }
    co_return;
  }
}

void SessionHub::start_session(EdgeLink& link, const EdgeIdentity& client) {
  auto session = std::make_shared<EdgeSession>(
      EdgeSession::Identity{SessionId{++last_session_}, client.client_id, client.client_name,
                            link.remote_addr(), clock_.now()},
      rules_, limits_, clock_, settings_.welcome);
  const std::shared_ptr<EdgeSession> older = sessions_.add(session);
  if (older) older->end("superseded");
  link.attach(std::move(session));
}

void SessionHub::enroll(EnrollCall& call, std::string code) {
  if (stopping_) return call.refuse(unavailable("server_shutdown"));
  if (calls_.size() >= kMaxPendingCalls) return call.refuse(unavailable("server_busy"));
  calls_.spawn(redeem(&call, std::move(code)));
}

async::Task<> SessionHub::redeem(EnrollCall* call, std::string code) {
  const Result<auth::RedeemedBundle> bundle = co_await clients_.redeem(std::move(code));
  if (bundle) {
    call->answer(*bundle);
  } else {
    call->refuse(refuse_enroll(bundle.error()));
  }
}

bool SessionHub::connected(std::string_view client_id) const {
  const EdgeSession* session = sessions_.find(client_id);
  return session != nullptr && session->live();
}

const rules::ClientCapabilities* SessionHub::capabilities(std::string_view client_id) const {
  const EdgeSession* session = sessions_.find(client_id);
  return session != nullptr && session->live() ? &session->capabilities() : nullptr;
}

bool SessionHub::push(std::string_view client_id, std::string_view request_id,
                      const model::RuleSpec& rule) {
  EdgeSession* session = sessions_.find(client_id);
  return session != nullptr && session->push(request_id, rule);
}

bool SessionHub::remove(std::string_view client_id, std::string_view request_id, RuleId rule) {
  EdgeSession* session = sessions_.find(client_id);
  return session != nullptr && session->remove(request_id, rule);
}

std::optional<std::string_view> SessionHub::client_version(std::string_view client_id) const {
  const rules::ClientCapabilities* known = capabilities(client_id);
  return known == nullptr ? std::nullopt : std::optional<std::string_view>(known->version);
}

quotas::QuotaSink::Told SessionHub::quota_changed(std::string_view client_id,
                                                  std::string_view user_id) {
  EdgeSession* session = sessions_.find(client_id);
  return session == nullptr ? quotas::QuotaSink::Told::absent : session->quota_changed(user_id);
}

owner_caps::OwnerCapSink::Told SessionHub::owner_caps_changed(std::string_view client_id,
                                                              std::string_view owner_id) {
  EdgeSession* session = sessions_.find(client_id);
  return session == nullptr ? owner_caps::OwnerCapSink::Told::absent
                            : session->owner_caps_changed(owner_id);
}

std::optional<auth::LiveSession> SessionHub::live_session(std::string_view client_id) const {
  const EdgeSession* session = sessions_.find(client_id);
  // Before its Hello nothing can be pushed to it, so nobody is told that it is connected.
  if (session == nullptr || !session->live()) return std::nullopt;
  const EdgeSession::Identity& identity = session->identity();
  return auth::LiveSession{identity.remote_addr, identity.connected_at};
}

bool SessionHub::disconnect(std::string_view client_id, std::string_view reason) {
  EdgeSession* session = sessions_.find(client_id);
  return session != nullptr && session->end(reason);
}

void SessionHub::on_client_changed(std::string_view client_id, std::string_view name) {
  ++name_epoch_;
  if (EdgeSession* session = sessions_.find(client_id)) session->rename(name);
}

void SessionHub::on_client_removed(std::string_view client_id) {
  // Only a revoked client can be deleted, so normally no session is left.
  disconnect(client_id, "token_revoked");
}

void SessionHub::request_stop() {
  stopping_ = true;
  calls_.close();
  for (const auto& session : sessions_.all()) session->end("server_shutdown");
}

async::Task<> SessionHub::drain() {
  while (!calls_.idle()) {
    co_await calls_.drain(std::chrono::seconds(1));
  }
}

}  // namespace portunus::server::control
