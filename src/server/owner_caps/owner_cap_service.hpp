#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/traffic.hpp"
#include "server/owner_caps/owner_cap_sink.hpp"
#include "server/owner_caps/owner_totals.hpp"
#include "server/store/client_keyed.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::owner_caps {

/// Caps as an operator asks for them.
struct WantedCaps {
  model::RateLimit limit;
  /// The key that is reserved for later was set (http-api 7.3).
  bool reserved_key = false;
};

/// One owner's caps on one client, for the metrics.
struct OwnerCapNumbers {
  std::string client_name;
  std::string owner_id;
  model::LimitTraffic total;
};

/// The caps of owners over all their rules on one client (http-api 7.3). A mirror of the stored
/// caps lives here and changes only after a commit; every change tells the edge. Lives on the
/// domain executor; owned by the composition root. `client` is a name or an id (http-api 2).
class OwnerCapService {
 public:
  OwnerCapService(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
  void set_sink(OwnerCapSink* sink) { sink_ = sink; }

  /// Loads the stored caps; before the event loop runs. Logs owner_cap.hydrated; what cannot be
  /// loaded is left out with a warning.
  void hydrate();

  // For the operator.

  /// Everyone with a rule or caps on the client, ascending; nobody for a name that is not enrolled
  /// and has none.
  async::Task<Result<std::vector<store::OwnerOnClient>>> owners(std::string client);
  async::Task<Result<store::OwnerLimitRow>> get(std::string client, std::string owner_id);
  /// Replaces what is there; errors in the order of http-api 7.3.
  async::Task<Result<store::OwnerLimitRow>> put(std::string client, std::string owner_id,
                                                WantedCaps wanted);
  /// Also of caps that are not there.
  async::Task<Result<>> remove(std::string client, std::string owner_id);

  // For the sessions.

  /// A session begins, which ends the one before it.
  void begin_session(std::string_view client_id) { totals_.start_session(client_id); }
  /// Who has caps on this client.
  std::vector<std::string> owners_of(std::string_view client_id) const;
  /// The caps as they stand; null without any.
  const model::RateLimit* caps(std::string_view client_id, std::string_view owner_id) const;
  /// What a report says of owners. Those without caps are passed over.
  void on_report(std::string_view client_id, std::span<const model::OwnerTraffic> owners);

  // What happens elsewhere.

  /// The owner's last rule on the client was removed, and his caps in the same transaction.
  void on_collected(const store::ClientRef& client, std::string_view owner_id);
  void on_client_enrolled(std::string_view client_id, std::string_view name);
  void on_client_changed(std::string_view client_id, std::string_view name);
  void on_client_removed(std::string_view client_id);

  /// Of the owners that a report has told of.
  std::vector<OwnerCapNumbers> numbers() const;

 private:
  async::Task<Result<store::OwnerLimitRow>> write(std::string client, std::string owner_id,
                                                  WantedCaps wanted);
  async::Task<Result<>> erase(std::string client, std::string owner_id);
  async::Task<Result<store::ClientRef>> resolve(std::string client);
  void drop(const store::ClientRef& client, std::string_view owner_id);
  void tell(const store::ClientRef& client, std::string_view owner_id, std::string_view action);

  store::Store& store_;
  const Clock& clock_;
  OwnerCapSink* sink_ = nullptr;
  store::ClientKeyed<store::OwnerLimitRow> book_;
  OwnerTotals totals_;
};

}  // namespace portunus::server::owner_caps
