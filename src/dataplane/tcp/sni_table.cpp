#include "dataplane/tcp/sni_table.hpp"

#include <utility>

#include "common/base/assert.hpp"
#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {

SniTable::SniTable(Worker& worker, std::shared_ptr<const SniRoutes> routes)
    : routes_(std::move(routes)) {
  slices_.reserve(routes_->members.size());
  for (const auto& member : routes_->members) {
    auto slice = worker.find(member->live());
    PORTUNUS_ASSERT(slice);
    slice->keep();
    slices_.push_back(std::move(slice));
  }
}

SniTable::~SniTable() {
  for (const auto& slice : slices_) slice->let_go();
}

std::optional<SniTable::Route> SniTable::find(std::string_view server_name) const {
  const auto match = routes_->table.find(server_name);
  if (!match) return std::nullopt;
  return Route{*slices_[match->member], match->kind};
}

void SniTable::report_death(const std::string& role) const {
  for (const auto& slice : slices_) slice->reports().on_died(role);
}

}  // namespace portunus::dataplane::tcp
