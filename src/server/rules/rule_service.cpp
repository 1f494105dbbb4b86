#include "server/rules/rule_service.hpp"

#include <algorithm>
#include <utility>

#include "common/async/shielded.hpp"
#include "common/base/ulid.hpp"
#include "common/log/logger.hpp"
#include "server/rules/rule_events.hpp"
#include "server/rules/rule_service_impl.hpp"
#include "server/store/rule_store.hpp"

namespace portunus::server::rules {

using store::RuleRow;

Result<const RuleBook::Entry*> RuleService::Impl::find(const Actor& actor, RuleId id) const {
  const RuleBook::Entry* entry = book_.find(id);
  if (entry == nullptr) return fail(Errc::rule_not_found);
  if (!actor.superadmin && entry->row.spec.owner_id != actor.user_id) return fail(Errc::not_owner);
  return entry;
}

const ClientCapabilities* RuleService::Impl::capabilities(std::string_view client_id) const {
  return stopping_ || sink_ == nullptr ? nullptr : sink_->capabilities(client_id);
}

async::Task<Result<>> RuleService::Impl::remove(Actor actor, RuleId id) {
  const auto found = find(actor, id);
  if (!found) co_return fail(found.error());
  auto erase = [id](store::Connection& connection) {
    return store::remove_rule_and_caps(connection, id);
  };
  const auto removed = co_await store_.write(std::move(erase));
  if (!removed) co_return fail(removed.error());
  if (!*removed || !on_removed(**removed)) co_return fail(Errc::rule_not_found);
  co_return Result<>{};
}

bool RuleService::Impl::on_removed(const store::RemovedRule& removed) {
  const RuleId id = removed.id;
  const RuleBook::Entry* entry = book_.find(id);
  if (entry == nullptr) {  // stored, but its PUSH could not be queued
    tell_collected(removed);
    return false;
  }
  const RuleRow row = entry->row;
  book_.erase(id);
  traffic_.remove(row);
  if (row.client_id) requests_.end_rule(*row.client_id, id, unexpected_outcome());
  const std::string request_id = make_ulid(clock_);
  bool told = false;
  if (row.client_id && sink_ != nullptr) {
    told = sink_->remove(*row.client_id, request_id, id);
    if (told) requests_.add(request_id, {RequestLog::Kind::remove, *row.client_id, id, nullptr});
  }
  log_remove(row, request_id, told);
  tell_collected(removed);
  return true;
}

void RuleService::Impl::tell_collected(const store::RemovedRule& removed) {
  if (!removed.caps || listener_ == nullptr) return;
  listener_->on_caps_collected(removed.client, removed.owner_id);
}

RuleService::RuleService(boost::asio::any_io_executor executor, store::Store& store,
                         const Clock& clock, RuleSettings settings)
    : impl_(std::make_unique<Impl>(std::move(executor), store, clock, settings)) {}

RuleService::~RuleService() = default;

void RuleService::set_sink(RuleSink* sink) {
  impl_->sink_ = sink;
}

void RuleService::set_listener(RuleListener* listener) {
  impl_->listener_ = listener;
}

void RuleService::set_rights(PushRights rights) {
  impl_->rights_ = std::move(rights);
}

void RuleService::on_removed(std::span<const store::RemovedRule> removed) {
  for (const store::RemovedRule& rule : removed) impl_->on_removed(rule);
}

Result<> RuleService::hydrate() {
  auto rules = impl_->store_.read_now(
      [](store::Connection& connection) { return store::list_rules(connection); });
  if (!rules) return fail(rules.error());
  for (RuleRow& rule : *rules) impl_->book_.add(std::move(rule));
  log::log(log::Event::rules_hydrated, {{"count", rules->size()}});
  return {};
}

void RuleService::request_stop() {
  impl_->stopping_ = true;
  impl_->requests_.end_all();
  impl_->feed_.end_all();
  impl_->gate_.close();
}

async::Task<bool> RuleService::drain(std::chrono::steady_clock::duration grace) {
  co_return co_await impl_->gate_.drain(grace);
}

async::Task<Result<RuleRow>> RuleService::push(Actor actor, PushRequest request) {
  return async::shielded(impl_->push(std::move(actor), std::move(request)));
}

async::Task<Result<RuleRow>> RuleService::update(Actor actor, RuleId id, PushRequest request) {
  return async::shielded(impl_->update(std::move(actor), id, std::move(request)));
}

async::Task<Result<>> RuleService::remove(Actor actor, RuleId id) {
  return async::shielded(impl_->remove(std::move(actor), id));
}

RulePage RuleService::list(const Actor& actor, const RuleFilter& filter, RuleId after,
                           std::size_t most) const {
  RulePage out;
  const auto& entries = impl_->book_.entries();
  auto it = entries.upper_bound(after);
  for (std::size_t seen = 0; it != entries.end() && seen < most; ++it, ++seen) {
    const auto& [id, entry] = *it;
    const std::string& owner = entry.row.spec.owner_id;
    after = id;
    if (!actor.superadmin && owner != actor.user_id) continue;
    if (filter.owner_id && owner != *filter.owner_id) continue;
    if (filter.client_name && entry.row.client_name != *filter.client_name) continue;
    out.rules.push_back({entry.row, impl_->traffic_.find(id)});
  }
  if (it != entries.end()) out.next = after;
  return out;
}

Result<RuleView> RuleService::stats(const Actor& actor, RuleId id) const {
  const auto entry = impl_->find(actor, id);
  if (!entry) return fail(entry.error());
  const RuleNumbers* numbers = impl_->traffic_.find(id);
  if (numbers == nullptr) return fail({Errc::rule_not_found, "no report has arrived yet"});
  return RuleView{(*entry)->row, numbers};
}

SharedSnapshot RuleService::Impl::snapshot(const RuleRow& row) const {
  const RuleNumbers* numbers = traffic_.find(row.spec.id);
  if (numbers == nullptr) return nullptr;
  auto out = std::make_shared<StatsSnapshot>();
  out->row = row;
  out->numbers.latest = numbers->latest;
  out->numbers.latest.ports.clear();  // a stream shows none
  out->numbers.updated_at = numbers->updated_at;
  return out;
}

Result<std::shared_ptr<StatsSubscription>> RuleService::watch(const Actor& actor, RuleId id) {
  const auto entry = impl_->find(actor, id);
  if (!entry) return fail(entry.error());
  return impl_->feed_.subscribe(id, impl_->snapshot((*entry)->row));
}

std::vector<model::RuleSpec> RuleService::begin_session(std::string_view client_id,
                                                        const ClientCapabilities& capabilities) {
  return impl_->begin_session(client_id, capabilities);
}

const model::RuleSpec* RuleService::current(RuleId id) const {
  const RuleBook::Entry* entry = impl_->book_.find(id);
  if (entry == nullptr || entry->row.state == store::RuleState::failed) return nullptr;
  return &entry->row.spec;
}

void RuleService::expect_status(std::string_view client_id, std::string request_id, RuleId rule) {
  impl_->requests_.add(std::move(request_id),
                       {RequestLog::Kind::replay, std::string(client_id), rule, nullptr});
}

void RuleService::on_status(std::string_view client_id, std::string_view client_name,
                            std::string_view request_id, RuleId rule, Outcome outcome,
                            std::string reason) {
  impl_->on_status(client_id, client_name, request_id, rule, outcome, std::move(reason));
}

void RuleService::end_session(std::string_view client_id) {
  impl_->requests_.end_session(client_id);
}

std::vector<model::OwnerUsage> RuleService::on_report(std::string_view client_id,
                                                      std::string_view client_name,
                                                      const model::TrafficReport& report) {
  return impl_->on_report(client_id, client_name, report);
}

void RuleService::on_client_enrolled(std::string_view client_id, std::string_view name) {
  impl_->book_.bind(name, client_id);
}

void RuleService::on_client_changed(std::string_view client_id, std::string_view name) {
  impl_->book_.rename(client_id, name);
  for (const RuleId id : impl_->book_.of_client(client_id)) impl_->traffic_.rename(id, name);
  impl_->sni_ports_.rename(client_id, name);
}

void RuleService::on_client_removed(std::string_view client_id) {
  impl_->book_.unbind(client_id);
  impl_->traffic_.forget(client_id);
  impl_->sni_ports_.forget(client_id);
}

const TrafficTotals& RuleService::traffic() const {
  return impl_->traffic_;
}

const SniTotals& RuleService::sni_ports() const {
  return impl_->sni_ports_;
}

std::size_t RuleService::count() const {
  return impl_->book_.entries().size();
}

std::size_t RuleService::active_sni_routes() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(impl_->book_.entries(), [](const auto& item) {
        const RuleRow& row = item.second.row;
        return row.state == store::RuleState::active && row.spec.sni_pattern;
      }));
}

}  // namespace portunus::server::rules
