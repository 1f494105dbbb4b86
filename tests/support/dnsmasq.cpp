#include "tests/support/dnsmasq.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/files.hpp"

namespace portunus::test {
namespace {

/// As a child must spell them: no allocation after fork().
std::vector<char*> c_strings(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (auto& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

net::Endpoint loopback(std::uint16_t port) {
  return {*net::IpAddress::parse("127.0.0.1"), port};
}

std::uint16_t free_port() {
  const net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = loopback(0).to_sockaddr(storage);
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length);
  length = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return net::Endpoint::from_sockaddr(storage)->port();
}

/// A question for the A record of a one-label name under .test.
std::string question(const std::string& label) {
  using namespace std::string_literals;
  return "\x12\x34\x01\x00\0\x01\0\0\0\0\0\0"s + static_cast<char>(label.size()) + label +
         "\x04test\0\0\x01\0\x01"s;
}

}  // namespace

Dnsmasq::Dnsmasq(std::vector<std::string> options) : options_(std::move(options)) {}

Dnsmasq::~Dnsmasq() {
  stop();
}

void Dnsmasq::set_hosts(const std::string& lines) {
  hosts_ = lines;
  ++generation_;
  if (pid_ < 0) return;
  write_hosts();
  ::kill(pid_, SIGHUP);
  if (!eventually([&] { return answers("generation-" + std::to_string(generation_)); })) {
    throw std::runtime_error("dnsmasq did not read its hosts again");
  }
}

void Dnsmasq::start() {
  const std::uint16_t wanted = port_;
  for (int attempt = 0; attempt < 20; ++attempt) {
    port_ = wanted != 0 ? wanted : free_port();
    if (start_now()) return;
  }
  throw std::runtime_error("dnsmasq does not start: " + read_file(dir_ / "log"));
}

void Dnsmasq::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Dnsmasq::server() const {
  return loopback(port_).text();
}

bool Dnsmasq::start_now() {
  write_hosts();
  std::vector<std::string> words = {"/usr/sbin/dnsmasq",
                                    "--keep-in-foreground",
                                    "--conf-file=/dev/null",
                                    "--no-resolv",
                                    "--no-hosts",
                                    "--addn-hosts=" + (dir_ / "hosts").string(),
                                    "--local=/test/",
                                    "--pid-file=",
                                    "--bind-interfaces",
                                    "--listen-address=127.0.0.1",
                                    "--except-interface=none",
                                    "--port=" + std::to_string(port_),
                                    "--log-facility=" + (dir_ / "log").string()};
  // It would change to a user who may not read our folder.
  if (::geteuid() == 0) words.emplace_back("--user=root");
  words.insert(words.end(), options_.begin(), options_.end());
  const auto arguments = c_strings(words);
  const int sink = ::open((dir_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(sink, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(sink);
  bool exited = false;
  const bool ready = eventually([&] {
    exited = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return exited || answers("generation-" + std::to_string(generation_));
  });
  if (ready && !exited) return true;
  if (exited) pid_ = -1;
  stop();
  return false;
}

bool Dnsmasq::answers(const std::string& name) const {
  const net::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval patience{0, 200'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_storage storage{};
  const socklen_t length = loopback(port_).to_sockaddr(storage);
  ::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length);
  const std::string query = question(name);
  ::send(fd.get(), query.data(), query.size(), 0);
  std::array<char, 512> reply{};
  const ssize_t got = ::recv(fd.get(), reply.data(), reply.size(), 0);
  return got > 12 && (reply[3] & 0x0f) == 0 && reply[7] > 0;
}

void Dnsmasq::write_hosts() {
  write_file(dir_ / "hosts",
             hosts_ + "\n127.0.0.1 generation-" + std::to_string(generation_) + ".test\n");
}

}  // namespace portunus::test
