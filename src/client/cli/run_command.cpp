#include "client/cli/run_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "client/agent/bundle.hpp"
#include "client/agent/bundle_file.hpp"
#include "client/app/app.hpp"
#include "common/base/version.hpp"
#include "common/log/logger.hpp"

namespace portunus::client::cli {
namespace {

using log::Event;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

/// Far beyond any use, and far from the end of the clock's range.
template <class Unit>
std::chrono::milliseconds limited(std::uint64_t value) {
  constexpr auto kMost = std::chrono::duration_cast<Unit>(std::chrono::years(10)).count();
  return Unit(static_cast<std::int64_t>(std::min<std::uint64_t>(value, kMost)));
}

/// Where the bundle is, or is to be.
struct Location {
  std::string path;
  bool exists = false;
  std::vector<std::string> attempted;
};

Location locate(const RunCommand& command) {
  Location out;
  if (command.bundle) {
    out.path = *command.bundle;
    std::error_code ec;
    out.exists = std::filesystem::exists(out.path, ec) || ec;
    return out;
  }
  out.attempted = agent::BundlePlaces::from_environment().search_order();
  const auto found = agent::find_bundle(out.attempted);
  out.path = found.value_or(out.attempted.front());
  out.exists = found.has_value();
  return out;
}

int search_failed(const std::vector<std::string>& attempted) {
  std::string text = "error: no client bundle found; attempted paths:\n";
  for (const auto& path : attempted) text += "  - " + path + "\n";
  std::fputs(text.c_str(), stderr);
  log::log(Event::bundle_search_failed, {{"attempted", attempted}});
  return 1;
}

bool bootstrap(const std::string& uri, const std::string& path) {
  const auto enrolled = app::run_enroll(uri, path);
  if (enrolled) {
    log::log(Event::self_bootstrap, {{"path", path}});
    return true;
  }
  log::log(Event::self_bootstrap_failed, {{"error", enrolled.error().text()}, {"path", path}});
  return false;
}

int load_failed(const agent::BundleRefusal& refusal, const std::string& path) {
  if (!refusal.got.empty()) {
    log::log(Event::control_tls_pinned_mismatch,
             {{"expected", refusal.expected}, {"got", refusal.got}});
  }
  log::log(Event::bundle_load_failed, {{"path", path}, {"error", refusal.error.text()}});
  return 1;
}

app::AppOptions app_options(const RunCommand& command) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  app::AppOptions out;
  out.agent.reconnect_base = limited<milliseconds>(command.reconnect_initial_delay_ms);
  out.agent.reconnect_cap = limited<seconds>(command.reconnect_max_delay_secs);
  out.agent.drain_window = limited<seconds>(command.shutdown_drain_timeout_secs);
  out.agent.stats_interval = limited<seconds>(command.stats_report_interval_secs);
  out.splice = variable("PORTUNUS_DISABLE_SPLICE").empty();
  return out;
}

}  // namespace

int run_agent_command(const RunCommand& command) {
  log::log(Event::process_start, {{"binary", "portunus-client"},
                                  {"version", kVersion},
                                  {"pid", static_cast<std::int64_t>(::getpid())}});
  const Location location = locate(command);
  const std::string uri = variable("PORTUNUS_ENROLL_URI");
  if (!location.exists && !uri.empty()) {
    if (!bootstrap(uri, location.path)) return 1;
  } else if (!location.exists && !location.attempted.empty()) {
    return search_failed(location.attempted);
  }
  auto bundle = agent::load_bundle(location.path);
  if (!bundle) return load_failed(bundle.error(), location.path);
  log::log(Event::bundle_loaded,
           {{"client_name", bundle->client_name}, {"endpoint", bundle->server.text()}});
  return app::run_agent(std::move(*bundle), app_options(command));
}

}  // namespace portunus::client::cli
