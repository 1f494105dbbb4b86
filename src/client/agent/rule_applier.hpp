#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "client/agent/edge_state.hpp"
#include "client/agent/options.hpp"
#include "client/agent/rule_engine.hpp"
#include "client/agent/stats_reporter.hpp"
#include "common/async/gate.hpp"
#include "common/async/task.hpp"

namespace portunus::client::agent {

/// Carries out on the engine what the protocol decides, and keeps the books of what the rules
/// moved: everything of the agent that outlives a session. Draining rules are watched in the
/// background; their REMOVED goes to whatever session is on by then, and so does the FAILED of a
/// rule that dies by itself.
///
/// Owned by the agent, on its executor. drained() must complete before it is destroyed.
class RuleApplier {
 public:
  /// Where a session hears of things it did not ask for just now.
  struct Listener {
    std::function<void(const v1::RuleStatus&)> send_status;
    std::function<void()> rule_drained;
  };
  /// What the session itself must act on.
  struct Progress {
    std::optional<v1::Welcome> welcome;
    std::optional<std::string> give_up;
  };

  RuleApplier(boost::asio::any_io_executor executor, RuleEngine& engine,
              const AgentOptions& options);
  ~RuleApplier();
  RuleApplier(const RuleApplier&) = delete;
  RuleApplier& operator=(const RuleApplier&) = delete;

  void begin_session(Listener listener);
  void end_session();

  async::Task<Progress> on_message(const v1::ServerMessage& message, SteadyTime now);
  /// To be called at deadline().
  async::Task<> on_time(SteadyTime now);
  std::optional<SteadyTime> deadline() const { return state_.deadline(); }
  /// Drains every rule; their last numbers stay in the reports. The beginning of the end.
  async::Task<> remove_all();

  bool established() const { return state_.established(); }
  bool idle() const { return state_.live() == 0 && state_.draining() == 0; }
  /// Waits for what drains, which the engine ends by its window.
  async::Task<> drained();

  /// The books; update_stats() brings them up to the engine's numbers.
  StatsReporter& stats() { return stats_; }
  void update_stats();

 private:
  async::Task<Progress> apply(Actions actions);
  void carry_out(const Action& action, Progress& out);
  async::Task<> activate(Activate action);
  void remove(const Remove& action);
  void update_ending_rules();
  void update_sni_stats();
  async::Task<> watch_drain(async::Task<model::RuleTraffic> drain, std::uint64_t ticket,
                            std::optional<model::RuleTraffic> replaced, bool at_end);
  void on_rule_failed(const model::RuleTraffic& last, const std::string& reason);
  void emit(const Actions& statuses);
  void emit(const SendStatus& news);

  RuleEngine& engine_;
  std::chrono::steady_clock::duration drain_window_;
  EdgeState state_;
  StatsReporter stats_;
  Listener listener_;
  bool ending_ = false;
  std::multiset<RuleId> drains_before_end_;
  std::set<RuleId> drains_at_end_;
  async::Gate drains_;
};

}  // namespace portunus::client::agent
