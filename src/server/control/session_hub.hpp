#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/gate.hpp"
#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "server/auth/client_listener.hpp"
#include "server/auth/session_sink.hpp"
#include "server/control/edge_session.hpp"
#include "server/control/ports.hpp"
#include "server/control/session_registry.hpp"
#include "server/owner_caps/owner_cap_sink.hpp"
#include "server/quotas/quota_sink.hpp"
#include "server/rules/rule_sink.hpp"

namespace portunus::server::control {

class EdgeLink;
class EnrollCall;

struct HubSettings {
  WelcomeSettings welcome = {};
  std::chrono::milliseconds hello_timeout{10'000};
  /// How long the end of a session waits for the peer to take the message in flight.
  std::chrono::milliseconds close_timeout{5'000};
};

/// Where the streams of all edges meet the domain: admits them, holds their sessions, answers
/// enrollments, and is the way of the whole domain to the edges. Domain executor. Owned by the
/// control server, which stops it; drained before it goes.
class SessionHub final : public rules::RuleSink,
                         public quotas::QuotaSink,
                         public owner_caps::OwnerCapSink,
                         public auth::SessionSink,
                         public auth::ClientListener {
 public:
  SessionHub(boost::asio::any_io_executor domain, ClientAuthority& clients, RuleFeed& rules,
             const LimitFeed& limits, const Clock& clock, HubSettings settings);

  const boost::asio::any_io_executor& executor() const { return domain_; }
  const HubSettings& settings() const { return settings_; }

  // From the streams.
  void admit(std::shared_ptr<EdgeLink> link);
  void release(const EdgeSession& session) { sessions_.remove(session); }
  void on_stream_done() { --streams_; }
  void enroll(EnrollCall& call, std::string code);

  // rules::RuleSink
  bool connected(std::string_view client_id) const override;
  const rules::ClientCapabilities* capabilities(std::string_view client_id) const override;
  bool push(std::string_view client_id, std::string_view request_id,
            const model::RuleSpec& rule) override;
  bool remove(std::string_view client_id, std::string_view request_id, RuleId rule) override;

  // quotas::QuotaSink, owner_caps::OwnerCapSink
  std::optional<std::string_view> client_version(std::string_view client_id) const override;
  quotas::QuotaSink::Told quota_changed(std::string_view client_id,
                                        std::string_view user_id) override;
  owner_caps::OwnerCapSink::Told owner_caps_changed(std::string_view client_id,
                                                    std::string_view owner_id) override;

  // auth::SessionSink
  std::optional<auth::LiveSession> live_session(std::string_view client_id) const override;
  bool disconnect(std::string_view client_id, std::string_view reason) override;

  // auth::ClientListener
  void on_client_changed(std::string_view client_id, std::string_view name) override;
  void on_client_removed(std::string_view client_id) override;

  const std::map<std::string, std::uint64_t>& auth_failures() const { return auth_failures_; }
  std::size_t session_count() const { return sessions_.size(); }
  std::size_t stream_count() const { return streams_; }

  /// Refuses new streams and enrollments and ends every session with server_shutdown. Idempotent.
  void request_stop();
  /// Until every admission and enrollment under way has been answered; each waits for the store
  /// alone.
  async::Task<> drain();

 private:
  async::Task<> authenticate(std::shared_ptr<EdgeLink> link);
  async::Task<> redeem(EnrollCall* call, std::string code);
  void start_session(EdgeLink& link, const EdgeIdentity& client);

  boost::asio::any_io_executor domain_;
  ClientAuthority& clients_;
  RuleFeed& rules_;
  const LimitFeed& limits_;
  const Clock& clock_;
  HubSettings settings_;
  SessionRegistry sessions_;
  std::map<std::string, std::uint64_t> auth_failures_;
  std::uint64_t last_session_ = 0;
  /// Grows with every rename: a name that was read before one may be stale after it.
  std::uint64_t name_epoch_ = 0;
  std::size_t streams_ = 0;
  bool stopping_ = false;
  async::Gate calls_;
};

}  // namespace portunus::server::control
