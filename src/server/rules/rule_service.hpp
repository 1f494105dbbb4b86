#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "server/rules/rule_sink.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::rules {

/// Who acts, already authenticated.
struct Actor {
  std::string user_id;
  bool superadmin = false;
};

/// A push as the operator asked for it: decoded, nothing checked yet. Keys whose feature is not
/// available are kept as flags, so that the refusal can name them.
struct PushRequest {
  std::string client;  ///< name or id
  std::uint32_t listen_port = 0;
  std::optional<std::uint32_t> listen_port_end;
  std::optional<std::string> target_host;
  std::optional<std::uint32_t> target_port;
  std::optional<std::uint32_t> target_port_end;
  std::string protocol = "tcp";
  std::optional<bool> prefer_ipv6;
  std::chrono::seconds ack_timeout{2};
  /// Names of the request keys that ask for something not built and were set: "targets",
  /// "sni_pattern", "rate_limit", … The check order of http-api 8.2 decides when they count.
  std::vector<std::string> unavailable;
};

/// What a status of an edge says about a rule (control-wire 6.3).
enum class Outcome : std::uint8_t { activated, failed, removed, other };

/// A rule's numbers as last reported, cumulative over this session (http-api 9.1), and the totals
/// that never fall while the server lives (metrics).
struct RuleNumbers {
  model::RuleTraffic latest;
  std::uint64_t total_bytes_in = 0;
  std::uint64_t total_bytes_out = 0;
  SystemTime updated_at;
  /// False once the rule is removed: then only the totals remain, without gauges.
  bool live = true;
};

/// The labels of a rule's totals, which stay exported when the rule is removed (observability 8).
/// The owner "_unknown" holds what arrives after the removal.
struct TotalsKey {
  std::string client_name;
  std::string owner_id;
  RuleId rule;
  auto operator<=>(const TotalsKey&) const = default;
};

/// The rules: checks, storage, push and acknowledgement, statuses, replay order, statistics
/// (http-api 8 and 9, control-wire 6 and 8). A mirror of the stored rules lives here and changes
/// only after a commit. Lives on the domain executor.
class RuleService {
 public:
  RuleService(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock);
  ~RuleService();
  void set_sink(RuleSink* sink);

  /// Ends every wait as if its stream were lost, refuses new pushes and ignores later statuses.
  /// Idempotent.
  void request_stop();
  /// Waits for what is being written; true when all of it ended within `grace`. Needed before the
  /// destructor.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  /// Loads the stored rules; before the event loop runs. Logs rules.hydrated.
  Result<> hydrate();

  /// Checks, stores pending, sends and waits for the status (http-api 8.2, 8.5). The rule as it
  /// stands afterwards, or the first refusal. Logs audit.rule_push.
  async::Task<Result<store::RuleRow>> push(Actor actor, PushRequest request);
  /// Deletes, tells the client, does not wait for it (http-api 8.7). Logs audit.rule_remove.
  async::Task<Result<>> remove(Actor actor, RuleId id);
  /// Ascending by id. `client` is a name or an id, already resolved to a name.
  std::vector<store::RuleRow> list(const Actor& actor,
                                   std::optional<std::string> client_name) const;
  /// rule_not_found for an unknown rule and while no report has arrived; not_owner.
  Result<std::pair<store::RuleRow, RuleNumbers>> stats(const Actor& actor, RuleId id) const;

  // From the control sessions:

  /// A session begins, which ends the one before it: every baseline of the client is 0 again
  /// (control-wire 8, D8), its replayed rules show pending. Returns the rules to replay in order
  /// (active and pending, ascending id).
  std::vector<model::RuleSpec> begin_session(std::string_view client_id,
                                             const ClientCapabilities& capabilities);
  /// The rule as it stands now, nothing once it is removed. Asked right before each PUSH of a
  /// replay, so that what went away meanwhile is never sent after its REMOVE (control-wire 6.2).
  const model::RuleSpec* current(RuleId id) const;
  /// A request id of a replay PUSH, so that its status can be matched.
  void expect_status(std::string_view client_id, std::string request_id, RuleId rule);
  void on_status(std::string_view client_id, std::string_view client_name,
                 std::string_view request_id, RuleId rule, Outcome outcome, std::string reason);
  /// The client's session is over and no newer one has begun: its waits end as ack_lost, which is
  /// ack_timeout to the operator.
  void end_session(std::string_view client_id);
  void on_report(std::string_view client_id, std::string_view client_name,
                 const model::TrafficReport& report);
  /// Rules made for the bare name belong to this client now.
  void on_client_enrolled(std::string_view client_id, std::string_view name);
  /// The client was renamed; its rules and their totals carry the new name.
  void on_client_changed(std::string_view client_id, std::string_view name);
  /// Its rules stay under the bare name.
  void on_client_removed(std::string_view client_id);

  // For the metrics:
  const std::map<TotalsKey, RuleNumbers>& totals() const;
  std::size_t count() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::rules
