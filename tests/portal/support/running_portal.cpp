#include "tests/portal/support/running_portal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "portal/protocol/tcp_request.hpp"
#include "tests/support/files.hpp"

namespace portunus::test {
namespace {

std::string text_of(const portal::protocol::Frame& frame) {
  return {frame.begin(), frame.end()};
}

}  // namespace

RunningPortal::RunningPortal() {
  config.key = Secret("secret");
  config.host = "127.0.0.1";
  config.net = portal::config::Net::tcp;
  tuning.report_interval = std::chrono::milliseconds(5);
  options.cores = 2;
  fd_ = ::open((dir_ / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  log_ = std::make_unique<portal::log::Log>(portal::log::Level::debug, false, fd_);
}

RunningPortal::~RunningPortal() {
  stop();
  log_.reset();
  ::close(fd_);
}

Result<> RunningPortal::try_start() {
  portal_ = std::make_unique<portal::server::Portal>(config, tuning, *log_, options);
  const Result<> started = portal_->start();
  if (!started) portal_.reset();
  return started;
}

void RunningPortal::start() {
  const Result<> started = try_start();
  ASSERT_TRUE(started) << started.error().text();
}

void RunningPortal::stop() {
  if (!portal_) return;
  portal_->request_stop();
  portal_->drain();
  portal_.reset();
}

std::uint16_t RunningPortal::port() const {
  return portal_->tcp_endpoints().front().port();
}

std::string RunningPortal::log() {
  log_->flush();
  return read_file(dir_ / "log");
}

bool RunningPortal::logged(const std::string& part) {
  return log().find(part) != std::string::npos;
}

std::int64_t RunningPortal::counter(const std::string& name) {
  const std::string all = log();
  const auto record = all.rfind("CHECK_POINT|");
  const auto field = all.find("|" + name + "=", record);
  if (record == std::string::npos || field == std::string::npos) return -1;
  return std::stoll(all.substr(field + name.size() + 2, 20));
}

portal::protocol::Spec RunningPortal::spec() const {
  return *portal::protocol::Spec::derive(config.spec);
}

std::string RunningPortal::auth_frame() const {
  const portal::protocol::AuthKey key(config.key.reveal());
  return text_of(encode_auth_frame(spec(), key, portal::protocol::fresh_nonce()));
}

std::string RunningPortal::request(const std::string& target) const {
  return text_of(*encode_tcp_request(spec(), target));
}

std::string RunningPortal::opening(std::uint16_t target_port) const {
  return auth_frame() + request("127.0.0.1:" + std::to_string(target_port));
}

}  // namespace portunus::test
