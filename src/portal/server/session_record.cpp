#include "portal/server/session_record.hpp"

#include <chrono>

#include "portal/log/record.hpp"

namespace portunus::portal::server {
namespace {

std::string_view text_of(relay::RelayEnd::Cause cause) {
  switch (cause) {
    case relay::RelayEnd::Cause::both_ended:
      return "both sides ended";
    case relay::RelayEnd::Cause::grace_expired:
      return "half-close grace over";
    case relay::RelayEnd::Cause::failed:
      return "failed";
    case relay::RelayEnd::Cause::stopped:
      return "stopped";
  }
  return "?";
}

std::string_view text_of(relay::UotEnd::Cause cause) {
  switch (cause) {
    case relay::UotEnd::Cause::client_ended:
      return "client ended";
    case relay::UotEnd::Cause::idle:
      return "idle";
    case relay::UotEnd::Cause::failed:
      return "failed";
    case relay::UotEnd::Cause::stopped:
      return "stopped";
  }
  return "?";
}

template <class End>
std::string summary_of(const End& end) {
  std::string text = " (";
  text.append(text_of(end.cause));
  if (end.error) text.append(": ").append(end.error->text());
  return text.append("), up ") + std::to_string(end.uplink) + ", down " +
         std::to_string(end.downlink);
}

}  // namespace

void record(log::Log& log, log::Level level, std::string_view carrier, const net::Endpoint& peer,
            std::string_view what, std::string_view detail) {
  if (!log.shown(level)) return;
  std::string message("portal::");
  message.append(carrier).append(": ").append(peer.text()).append(": ");
  message.append(log::escaped(what)).append(log::escaped(detail));
  log.write(level, message);
}

void record_refusal(Services& services, std::string_view carrier, const net::Endpoint& peer) {
  if (!services.log.shown(log::Level::error)) return;
  const auto unrecorded = services.refusals.admit(std::chrono::steady_clock::now());
  if (!unrecorded) return;
  const std::string detail =
      *unrecorded > 0 ? "; " + std::to_string(*unrecorded) + " more refusals are not recorded" : "";
  record(services.log, log::Level::error, carrier, peer,
         "too many connections without authentication", detail);
}

std::string text_of(const std::optional<net::Endpoint>& endpoint) {
  return endpoint ? endpoint->text() : "?";
}

std::string summary(const relay::RelayEnd& end) {
  return summary_of(end);
}

std::string summary(const relay::UotEnd& end) {
  return summary_of(end);
}

}  // namespace portunus::portal::server
