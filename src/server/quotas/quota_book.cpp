#include "server/quotas/quota_book.hpp"

#include <algorithm>
#include <utility>

namespace portunus::server::quotas {

void QuotaBook::put(store::QuotaRow row, Effect effect) {
  Entry& entry = entries_.at(row.client, row.user_id);
  static_cast<store::QuotaRow&>(entry) = std::move(row);
  entry.period_resets += effect.rolled ? 1 : 0;
  entry.exhaustions += effect.exhausted ? 1 : 0;
}

std::vector<store::QuotaRow> QuotaBook::of_client(const store::ClientRef& client) const {
  std::vector<store::QuotaRow> out;
  entries_.each_of(client.key(), [&out](const Entry& entry) { out.push_back(entry); });
  return out;
}

std::vector<store::QuotaRow> QuotaBook::of_user(std::string_view user_id) const {
  std::vector<store::QuotaRow> out;
  for (const auto& [key, entry] : entries_.rows()) {
    if (entry.user_id == user_id) out.push_back(entry);
  }
  std::ranges::sort(out, {}, [](const store::QuotaRow& row) {
    return std::pair(row.client.client_name, !row.client.client_id.has_value());
  });
  return out;
}

}  // namespace portunus::server::quotas
