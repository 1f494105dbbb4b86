#include "tests/portal/support/running_portal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/crypto/certificate.hpp"
#include "portal/protocol/tcp_request.hpp"
#include "tests/support/files.hpp"

namespace portunus::test {
namespace {

std::string text_of(const portal::protocol::Frame& frame) {
  return {frame.begin(), frame.end()};
}

}  // namespace

portal::config::Tuning longest_tuning() {
  return portal::config::read_tuning([](const char* name) -> std::optional<std::string> {
    const std::string_view variable(name);
    // The one that QUIC bounds, in milliseconds; 64 bits of seconds are the bound of the others.
    if (variable == "NOW_UDP_IDLE_TIMEOUT") return "4611686018427387903ms";
    if (variable.ends_with("TIMEOUT") || variable.ends_with("INTERVAL")) {
      return "18446744073709551615s 999999999ns";
    }
    return std::nullopt;
  });
}

CertificateFiles::CertificateFiles() {
  const auto pair =
      *crypto::generate_self_signed_for_name("portal.test", SystemClock::instance().now());
  write_file(dir_ / "crt", pair.certificate_pem);
  write_file(dir_ / "key", pair.key_pem);
}

void CertificateFiles::use_in(RunningPortal& portal) {
  portal.config.tls = portal::config::TlsMode::pem_files;
  portal.config.certificate_path = dir_ / "crt";
  portal.config.key_path = dir_ / "key";
  portal.tuning.reload_interval = std::chrono::nanoseconds(0);
}

void CertificateFiles::hang() {
  const std::string path = dir_ / "crt";
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
}

bool CertificateFiles::somebody_waits() {
  if (!writer_) writer_.reset(::open((dir_ / "crt").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return writer_.valid();
}

void CertificateFiles::release() {
  writer_.reset();
}

std::size_t count_threads(const std::string& name) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string comm;
    if (std::getline(file, comm) && comm == name) ++count;
  }
  return count;
}

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

bool RunningPortal::stop() {
  if (!portal_) return true;
  portal_->request_stop();
  const bool ended = portal_->drain();
  portal_.reset();
  return ended;
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

std::int64_t RunningPortal::times_logged(const std::string& part) {
  const std::string all = log();
  std::int64_t times = 0;
  for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++times;
  return times;
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
