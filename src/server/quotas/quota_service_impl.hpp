#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <string>
#include <vector>

#include "common/async/gate.hpp"
#include "server/quotas/quota_book.hpp"
#include "server/quotas/quota_events.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/quotas/usage_ledger.hpp"

namespace portunus::server::quotas {

/// A row as a transaction left it, and what that brought about.
struct Change {
  store::QuotaRow row;
  Effect effect;
};

/// What the service is made of. The operator's changes are in quota_changes.cpp, usage and periods
/// in quota_clockwork.cpp, all else in quota_service.cpp.
class QuotaService::Impl {
 public:
  Impl(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : store_(store), clock_(clock), gate_(executor), tick_(executor) {}

  async::Task<Result<store::QuotaRow>> put(std::string user_id, std::string client,
                                           std::int64_t monthly_bytes,
                                           std::optional<std::int64_t> billing_anchor);
  async::Task<Result<store::QuotaRow>> patch(std::string user_id, std::string client,
                                             std::optional<std::int64_t> monthly_bytes,
                                             bool clear_usage);
  async::Task<Result<>> remove(std::string user_id, std::string client);
  async::Task<Result<store::ClientRef>> resolve(std::string client);

  Result<> load();
  void on_usage(std::string_view client_id, std::string_view client_name,
                std::span<const model::OwnerUsage> usage);
  async::Task<> check_periods();
  async::Task<> check_for_ever(std::chrono::steady_clock::duration interval);
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  store::Store& store_;
  const Clock& clock_;
  async::Gate gate_;
  boost::asio::steady_timer tick_;
  QuotaSink* sink_ = nullptr;
  QuotaBook book_;
  bool stopping_ = false;

 private:
  /// Of one client.
  struct Pending {
    std::string client_name;
    UnbookedUsage usage;
    bool writing = false;
  };

  std::int64_t now() const { return to_unix_seconds(clock_.now()); }
  /// After the commit: mirror, counters, and the edge.
  void apply(Change change, Push push);
  void tell(const store::ClientRef& client, std::string_view user_id, Push push);
  async::Task<Result<>> admit(std::string user_id, std::string client);
  void start_writing(const std::string& client_id, Pending& pending);
  async::Task<> write_usage(std::string client_id);
  async::Task<bool> book_pending(const std::string& client_id, Pending& pending);
  void apply_booked(const store::ClientRef& client, Booked booked);
  async::Task<Result<std::size_t>> roll_all(std::vector<store::QuotaRow> due);

  /// By client id.
  std::map<std::string, Pending, std::less<>> pending_;
};

}  // namespace portunus::server::quotas
