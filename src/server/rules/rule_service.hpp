#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "server/rules/push_request.hpp"
#include "server/rules/push_rights.hpp"
#include "server/rules/rule_listener.hpp"
#include "server/rules/rule_sink.hpp"
#include "server/rules/sni_totals.hpp"
#include "server/rules/stats_feed.hpp"
#include "server/rules/traffic_totals.hpp"
#include "server/store/rows.hpp"
#include "server/store/rule_removal.hpp"
#include "server/store/store.hpp"

namespace portunus::server::rules {

/// Who acts, already authenticated.
struct Actor {
  std::string user_id;
  bool superadmin = false;
};

/// What a status of an edge says about a rule (control-wire 6.3).
enum class Outcome : std::uint8_t { activated, failed, removed, other };

/// A rule as it stands, with the numbers of its last report; null before one.
struct RuleView {
  store::RuleRow row;
  const RuleNumbers* numbers = nullptr;
};

/// Which rules a list shows; nothing = all that the actor may see.
struct RuleFilter {
  std::optional<std::string> client_name;
  std::optional<std::string> owner_id;
};

/// A part of a list.
struct RulePage {
  std::vector<RuleView> rules;
  /// Where the next part begins; nothing behind the last rule.
  std::optional<RuleId> next;
};

struct RuleSettings {
  /// Most ports of a range (range_rule_max_ports).
  std::uint32_t max_ports = model::kDefaultMaxPorts;
  /// How long a change of caps waits for the edge (http-api 8.6).
  std::chrono::milliseconds update_timeout{2'000};
};

/// The rules: checks, storage, push and acknowledgement, statuses, replay order, statistics
/// (http-api 8 and 9, control-wire 6 and 8). A mirror of the stored rules lives here and changes
/// only after a commit. Lives on the domain executor.
class RuleService {
 public:
  RuleService(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock,
              RuleSettings settings = {});
  ~RuleService();
  void set_sink(RuleSink* sink);
  void set_listener(RuleListener* listener);
  /// Who may push what. Until then nobody but superadmins may push.
  void set_rights(PushRights rights);

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
  /// Replaces the caps, sends the rule again and waits for a status (http-api 8.6): the rule as it
  /// stands afterwards, or the first refusal. Once stored the caps stay, whatever the edge does.
  async::Task<Result<store::RuleRow>> update(Actor actor, RuleId id, PushRequest request);
  /// Deletes, tells the client, does not wait for it (http-api 8.7). Logs audit.rule_remove.
  async::Task<Result<>> remove(Actor actor, RuleId id);
  /// Rules that a transaction of somebody else has taken away by store::remove_rules_and_caps():
  /// what follows is what follows of remove().
  void on_removed(std::span<const store::RemovedRule> removed);
  /// Ascending by id, those above `after` among the next `most` rules, whoever's they are: so one
  /// call is never long, whatever the filter. The views are good until the next suspension.
  RulePage list(const Actor& actor, const RuleFilter& filter, RuleId after = {},
                std::size_t most = std::numeric_limits<std::size_t>::max()) const;
  /// rule_not_found for an unknown rule and while no report has arrived; not_owner. The view has
  /// numbers and is good until the next suspension.
  Result<RuleView> stats(const Actor& actor, RuleId id) const;
  /// From now on every report about the rule, beginning with the last one so far, until the rule is
  /// removed by any path or the service stops (http-api 9.2). rule_not_found, not_owner.
  Result<std::shared_ptr<StatsSubscription>> watch(const Actor& actor, RuleId id);

  // From the control sessions:

  /// A session begins, which ends the one before it: every baseline of the client is 0 again
  /// (control-wire 8, D8), its replayed rules show pending, and what it cannot do fails. Returns
  /// the rules to replay in order (control-wire 6.2): active and pending, ascending, but on one
  /// port rules with an SNI pattern first.
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
  /// Rules and SNI ports. What the report added, per owner with any.
  std::vector<model::OwnerUsage> on_report(std::string_view client_id, std::string_view client_name,
                                           const model::TrafficReport& report);
  /// Rules made for the bare name belong to this client now.
  void on_client_enrolled(std::string_view client_id, std::string_view name);
  /// The client was renamed; its rules and their totals carry the new name.
  void on_client_changed(std::string_view client_id, std::string_view name);
  /// Its rules stay under the bare name.
  void on_client_removed(std::string_view client_id);

  // For the metrics:
  const TrafficTotals& traffic() const;
  const SniTotals& sni_ports() const;
  std::size_t count() const;
  /// Active rules with an SNI pattern.
  std::size_t active_sni_routes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::rules
