#include "server/quotas/quota_service.hpp"

#include <map>
#include <utility>

#include "common/async/shielded.hpp"
#include "common/log/logger.hpp"
#include "server/quotas/errc.hpp"
#include "server/quotas/quota_service_impl.hpp"

namespace portunus::server::quotas {

using store::QuotaRow;

void QuotaService::Impl::apply(Change change, Push push) {
  if (change.effect.rolled) log_period_rolled(change.row);
  const store::ClientRef client = change.row.client;
  const std::string user_id = change.row.user_id;
  const Effect effect = change.effect;
  book_.put(std::move(change.row), effect);
  // Usage that changed no verdict is nothing the edge does not know better.
  if (push == Push::exhaust && !effect.exhausted) return;
  if (push == Push::rollover && !effect.rolled) return;
  tell(client, user_id, push);
}

void QuotaService::Impl::tell(const store::ClientRef& client, std::string_view user_id, Push push) {
  if (!client.client_id || sink_ == nullptr) return;
  if (sink_->quota_changed(*client.client_id, user_id) == QuotaSink::Told::refused) {
    log_push_failed(push, user_id, client.client_name);
  }
}

QuotaService::QuotaService(boost::asio::any_io_executor executor, store::Store& store,
                           const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(executor), store, clock)) {}

QuotaService::~QuotaService() = default;

void QuotaService::set_sink(QuotaSink* sink) {
  impl_->sink_ = sink;
}

void QuotaService::hydrate() {
  if (const auto loaded = impl_->load(); !loaded) {
    log::log(log::Event::traffic_quota_hydrate_failed, {{"error", loaded.error().text()}});
  }
}

void QuotaService::start(std::chrono::steady_clock::duration interval) {
  impl_->gate_.spawn(impl_->check_for_ever(interval));
}

void QuotaService::request_stop() {
  impl_->stopping_ = true;
  impl_->tick_.cancel();
  impl_->gate_.close();
}

async::Task<bool> QuotaService::drain(std::chrono::steady_clock::duration grace) {
  return impl_->drain(grace);
}

async::Task<Result<QuotaRow>> QuotaService::put(std::string user_id, std::string client,
                                                std::int64_t monthly_bytes,
                                                std::optional<std::int64_t> billing_anchor) {
  return async::shielded(
      impl_->put(std::move(user_id), std::move(client), monthly_bytes, billing_anchor));
}

async::Task<Result<QuotaRow>> QuotaService::patch(std::string user_id, std::string client,
                                                  std::optional<std::int64_t> monthly_bytes,
                                                  bool clear_usage) {
  return async::shielded(
      impl_->patch(std::move(user_id), std::move(client), monthly_bytes, clear_usage));
}

async::Task<Result<>> QuotaService::remove(std::string user_id, std::string client) {
  return async::shielded(impl_->remove(std::move(user_id), std::move(client)));
}

async::Task<Result<QuotaRow>> QuotaService::status(std::string user_id, std::string client) {
  const Result<store::ClientRef> ref = co_await impl_->resolve(std::move(client));
  if (!ref) co_return fail(ref.error());
  const QuotaBook::Entry* entry = impl_->book_.find(*ref, user_id);
  if (entry == nullptr) co_return fail(Errc::quota_not_found);
  co_return static_cast<const QuotaRow&>(*entry);
}

std::vector<QuotaRow> QuotaService::of_user(std::string_view user_id) const {
  return impl_->book_.of_user(user_id);
}

async::Task<Result<std::vector<QuotaRow>>> QuotaService::of_client(std::string client) {
  const Result<store::ClientRef> ref = co_await impl_->resolve(std::move(client));
  if (!ref) co_return fail(ref.error());
  co_return impl_->book_.of_client(*ref);
}

std::vector<std::string> QuotaService::users(std::string_view client_id) const {
  std::vector<std::string> out;
  for (QuotaRow& row : impl_->book_.of_client({std::string(client_id), {}})) {
    out.push_back(std::move(row.user_id));
  }
  return out;
}

std::optional<model::QuotaState> QuotaService::state(std::string_view client_id,
                                                     std::string_view user_id) const {
  const QuotaBook::Entry* entry = impl_->book_.find(client_id, user_id);
  if (entry == nullptr) return std::nullopt;
  return state_of(*entry);
}

void QuotaService::on_usage(std::string_view client_id, std::string_view client_name,
                            std::span<const model::OwnerUsage> usage) {
  impl_->on_usage(client_id, client_name, usage);
}

void QuotaService::on_client_enrolled(std::string_view client_id, std::string_view name) {
  impl_->book_.bind(name, client_id);
}

void QuotaService::on_client_changed(std::string_view client_id, std::string_view name) {
  impl_->book_.rename(client_id, name);
}

void QuotaService::on_client_removed(std::string_view client_id) {
  impl_->book_.unbind(client_id);
}

async::Task<> QuotaService::check_periods() {
  return impl_->check_periods();
}

std::vector<QuotaNumbers> QuotaService::numbers() const {
  // By their labels. Client ids sort after the keys of bare names, so where the two share a name,
  // the enrolled client's numbers stay.
  std::map<std::pair<std::string, std::string>, QuotaNumbers> rows;
  for (const auto& [key, entry] : impl_->book_.entries().rows()) {
    const std::string& client = entry.client.client_name;
    rows[{client, entry.user_id}] = {.user_id = entry.user_id,
                                     .client_name = client,
                                     .bytes_used = entry.bytes_used,
                                     .bytes_limit = entry.monthly_bytes,
                                     .exhausted = entry.exhausted_at.has_value(),
                                     .period_resets = entry.period_resets,
                                     .exhaustions = entry.exhaustions};
  }
  std::vector<QuotaNumbers> out;
  for (auto& [labels, numbers] : rows) out.push_back(std::move(numbers));
  return out;
}

}  // namespace portunus::server::quotas
