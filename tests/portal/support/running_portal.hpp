#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/net/unique_fd.hpp"
#include "portal/config/portal_config.hpp"
#include "portal/config/tuning.hpp"
#include "portal/log/log.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/server/portal.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::test {

/// What the NOW_* variables say when each duration is the longest that can be written.
portal::config::Tuning longest_tuning();

/// A certificate that is served from files, and what reads them may be made to wait for ever, as on
/// a file server that is gone.
class CertificateFiles {
 public:
  CertificateFiles();
  /// Has `portal` serve them and look at them again at every ClientHello.
  void use_in(class RunningPortal& portal);
  /// From here on whoever reads them waits.
  void hang();
  /// True when somebody does.
  bool somebody_waits();
  /// Lets him go on, to no good.
  void release();

 private:
  TempDir dir_;
  net::UniqueFd writer_;
};

/// Threads of this process with that name.
std::size_t count_threads(const std::string& name);

/// A Portal on 127.0.0.1 with the key `secret`, its log in a file. Settings may be changed until
/// start(); stopped with the object.
class RunningPortal {
 public:
  RunningPortal();
  ~RunningPortal();
  RunningPortal(const RunningPortal&) = delete;
  RunningPortal& operator=(const RunningPortal&) = delete;

  portal::config::PortalConfig config;
  portal::config::Tuning tuning;
  portal::server::PortalOptions options;

  Result<> try_start();
  /// Fails the test when it does not start.
  void start();
  /// What drain() says.
  bool stop();
  portal::server::Portal& portal() { return *portal_; }
  std::uint16_t port() const;

  /// Everything logged by now.
  std::string log();
  bool logged(const std::string& part);
  /// How often it was.
  std::int64_t times_logged(const std::string& part);
  /// A field of the newest CHECK_POINT, such as "POOL".
  std::int64_t counter(const std::string& name);

  portal::protocol::Spec spec() const;
  std::string auth_frame() const;
  std::string request(const std::string& target) const;
  /// Both frames, for a target on 127.0.0.1.
  std::string opening(std::uint16_t target_port) const;

 private:
  TempDir dir_;
  int fd_ = -1;
  std::unique_ptr<portal::log::Log> log_;
  std::unique_ptr<portal::server::Portal> portal_;
};

}  // namespace portunus::test
