#include "server/quotas/quota_events.hpp"

#include "common/log/logger.hpp"

namespace portunus::server::quotas {

using log::Event;

void log_push_failed(Push push, std::string_view user_id, std::string_view client_name) {
  switch (push) {
    case Push::set:
    case Push::remove:
      log::log(Event::traffic_quota_push_failed,
               {{"user", user_id},
                {"client", client_name},
                {"action", push == Push::set ? "set" : "remove"}});
      return;
    case Push::exhaust:
      log::log(Event::traffic_quota_exhaust_push_failed,
               {{"user", user_id}, {"client", client_name}});
      return;
    case Push::rollover:
      log::log(Event::traffic_quota_rollover_push_failed,
               {{"user", user_id}, {"client", client_name}});
      return;
  }
}

void log_period_rolled(const store::QuotaRow& quota) {
  log::log(Event::traffic_quota_period_rolled, {{"user", quota.user_id},
                                                {"client", quota.client.client_name},
                                                {"new_start", quota.period_started_at}});
}

void log_booked(const Booked& booked, std::string_view client_name) {
  if (booked.sample_error) {
    log::log(Event::traffic_sample_write_failed, {{"error", booked.sample_error->text()},
                                                  {"client", client_name},
                                                  {"user", booked.user_id}});
  }
  if (booked.quota) {
    log::log(Event::traffic_accumulated, {{"user", booked.user_id},
                                          {"client", client_name},
                                          {"delta_total", booked.bytes},
                                          {"used", booked.quota->bytes_used},
                                          {"monthly", booked.quota->monthly_bytes}});
  } else {
    log::log(Event::traffic_no_row,
             {{"user", booked.user_id}, {"client", client_name}, {"delta_total", booked.bytes}});
  }
}

void log_vanished(const Booked& booked, std::string_view client_name) {
  log::log(Event::traffic_quota_accumulate_missing,
           {{"user", booked.user_id}, {"client", client_name}, {"delta", booked.bytes}});
}

void log_not_booked(const UnbookedUsage& usage, std::string_view client_name, const Error& error) {
  for (const auto& [user_id, minutes] : usage.owners()) {
    log::log(Event::traffic_accumulate_failed,
             {{"error", error.text()}, {"client", client_name}, {"user", user_id}});
  }
}

}  // namespace portunus::server::quotas
