#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/model/quota.hpp"
#include "common/model/traffic.hpp"
#include "server/quotas/quota_sink.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::quotas {

/// One quota for the metrics.
struct QuotaNumbers {
  std::string user_id;
  std::string client_name;
  std::int64_t bytes_used = 0;
  std::int64_t bytes_limit = 0;
  bool exhausted = false;
  std::uint64_t period_resets = 0;
  std::uint64_t exhaustions = 0;
};

/// Monthly quotas and the usage that counts against them (http-api 10, store-and-quotas 6). A
/// mirror of the stored quotas lives here and changes only after a commit; every change tells the
/// edge. Lives on the domain executor; owned by the composition root. A write that fails is the
/// caller's error; usage that cannot be booked is kept and tried again with the next report.
class QuotaService {
 public:
  /// How often every quota's period is looked at (store-and-quotas 6.2).
  static constexpr std::chrono::seconds kCheckInterval{60};

  QuotaService(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock);
  ~QuotaService();
  void set_sink(QuotaSink* sink);

  /// Loads the stored quotas and makes up for missed rollovers; before the event loop runs. What
  /// cannot be loaded is left out with a warning.
  void hydrate();
  /// Checks the periods from now on, once per interval.
  void start(std::chrono::steady_clock::duration interval = kCheckInterval);
  /// Ends the checks. Idempotent.
  void request_stop();
  /// Waits for what is being written; true when all of it ended within `grace`. Needed before the
  /// destructor.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  // For the operator. `client` is a name or an id (http-api 2).

  /// Creates the quota, or changes the limit of the one there is; errors in the order of http-api
  /// 10.
  async::Task<Result<store::QuotaRow>> put(std::string user_id, std::string client,
                                           std::int64_t monthly_bytes,
                                           std::optional<std::int64_t> billing_anchor);
  /// First the limit, then the credit, as one change.
  async::Task<Result<store::QuotaRow>> patch(std::string user_id, std::string client,
                                             std::optional<std::int64_t> monthly_bytes,
                                             bool clear_usage);
  async::Task<Result<>> remove(std::string user_id, std::string client);
  async::Task<Result<store::QuotaRow>> status(std::string user_id, std::string client);
  /// Ascending by client name.
  std::vector<store::QuotaRow> of_user(std::string_view user_id) const;
  /// Ascending by user; empty for a name that is not enrolled and has none.
  async::Task<Result<std::vector<store::QuotaRow>>> of_client(std::string client);

  // For the sessions.

  /// Who has a quota on this client.
  std::vector<std::string> users(std::string_view client_id) const;
  /// The quota as it stands; nothing without one.
  std::optional<model::QuotaState> state(std::string_view client_id,
                                         std::string_view user_id) const;

  // What happens elsewhere.

  /// What a report of this client added. Never waits; see UnbookedUsage.
  void on_usage(std::string_view client_id, std::string_view client_name,
                std::span<const model::OwnerUsage> usage);
  void on_client_enrolled(std::string_view client_id, std::string_view name);
  void on_client_changed(std::string_view client_id, std::string_view name);
  void on_client_removed(std::string_view client_id);

  /// Begins every period that is due; also called by the timer of start().
  async::Task<> check_periods();

  std::vector<QuotaNumbers> numbers() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::quotas
