#include "portal/cli/serve_command.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/base/descriptor_limit.hpp"
#include "common/config/environment.hpp"
#include "portal/config/errc.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/config/portal_url.hpp"
#include "portal/config/tuning.hpp"
#include "portal/log/log.hpp"
#include "portal/log/record.hpp"
#include "portal/server/portal.hpp"

namespace portunus::portal::cli {
namespace {

constexpr int kFailed = 1;

int report(const Error& error) {
  std::fputs(log::format_start_failure(error.text()).c_str(), stderr);
  return kFailed;
}

/// SIGINT and SIGTERM as something to wait for. They are blocked from here on, and so they are on
/// every thread that is started later.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  void wait() const {
    int number = 0;
    while (sigwait(&set_, &number) != 0) {
    }
  }
  /// The next one ends the process, whatever it is doing (portal 17).
  void restore() const {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_{};
};

int serve(config::PortalConfig config, log::Log& log, const StopSignals& signals) {
  server::Portal portal(std::move(config),
                        config::read_tuning(portunus::config::process_environment), log);
  if (const auto started = portal.start(); !started) {
    log.flush();
    return report(started.error());
  }
  signals.wait();
  portal.request_stop();
  signals.restore();
  const bool ended = portal.drain();
  log.flush();
  // A thread that is left behind must not find the log, or anything static, gone.
  if (!ended) std::quick_exit(0);
  return 0;
}

}  // namespace

int run_serve(std::optional<std::string_view> argument) {
  if (!argument) return report(config::Errc::missing_url);
  const auto url = config::PortalUrl::parse(*argument);
  if (!url) return report(url.error());
  std::signal(SIGPIPE, SIG_IGN);
  const StopSignals signals;
  log::Log log(config::log_level(*url), log::wants_colour(1));
  auto config = config::read_portal_config(*url);
  if (!config) {
    log.flush();
    return report(config.error());
  }
  // Every relay takes two descriptors. What is refused here shows where one is missing.
  const auto limit = raise_descriptor_limit();
  if (limit && log.shown(log::Level::debug)) {
    log.write(log::Level::debug, fmt::format("descriptors: {}", limit->soft));
  }
  return serve(std::move(*config), log, signals);
}

}  // namespace portunus::portal::cli
