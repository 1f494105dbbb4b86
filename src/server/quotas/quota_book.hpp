#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "server/quotas/budget.hpp"
#include "server/store/client_keyed.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::quotas {

/// The mirror of the stored quotas, changed by its owner right after each commit, and what is
/// counted of each. One thread.
class QuotaBook {
 public:
  struct Entry : store::QuotaRow {
    /// Since the server started or the quota was created.
    std::uint64_t period_resets = 0;
    std::uint64_t exhaustions = 0;
  };

  /// As a transaction left it.
  void put(store::QuotaRow row, Effect effect);
  void erase(const store::ClientRef& client, std::string_view user_id) {
    entries_.erase(client, user_id);
  }
  const Entry* find(const store::ClientRef& client, std::string_view user_id) const {
    return entries_.find(client, user_id);
  }
  /// Of an enrolled client.
  const Entry* find(std::string_view client_id, std::string_view user_id) const {
    return entries_.find(client_id, user_id);
  }

  /// Ascending by user.
  std::vector<store::QuotaRow> of_client(const store::ClientRef& client) const;
  /// Ascending by client name; where a bare name equals that of an enrolled client, that one first.
  std::vector<store::QuotaRow> of_user(std::string_view user_id) const;
  const store::ClientKeyed<Entry>& entries() const { return entries_; }

  void bind(std::string_view name, std::string_view client_id) { entries_.bind(name, client_id); }
  void rename(std::string_view client_id, std::string_view name) {
    entries_.rename(client_id, name);
  }
  void unbind(std::string_view client_id) { entries_.unbind(client_id); }

 private:
  store::ClientKeyed<Entry> entries_;
};

}  // namespace portunus::server::quotas
