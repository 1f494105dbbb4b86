#include "tests/support/scripted_dns.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/net/endpoint.hpp"

namespace portunus::test {
namespace {

constexpr std::size_t kHeader = 12;

std::string u16(std::size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string encode_name(const std::string& name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    out += static_cast<char>(dot - at);
    out += name.substr(at, dot - at);
    at = dot + 1;
  }
  return out + '\0';
}

std::string encode_data(const DnsRecord& record) {
  if (record.type == kTypeCname) return encode_name(record.data);
  std::array<char, 16> bytes{};
  const bool v6 = record.type == kTypeAaaa;
  ::inet_pton(v6 ? AF_INET6 : AF_INET, record.data.c_str(), bytes.data());
  return {bytes.data(), v6 ? 16U : 4U};
}

std::string encode_record(const DnsRecord& record) {
  const std::string data = encode_data(record);
  return encode_name(record.owner) + u16(record.type) + u16(1) + u16(record.ttl >> 16) +
         u16(record.ttl & 0xffff) + u16(data.size()) + data;
}

std::optional<DnsQuestion> parse(const std::string& query, bool tcp) {
  DnsQuestion question{{}, 0, tcp};
  std::size_t at = kHeader;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<std::size_t>(query[at]);
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at + 1, length);
    at += length + 1;
  }
  if (at + 4 >= query.size()) return std::nullopt;
  question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(query[at + 2]));
  return question;
}

std::string encode(const std::string& query, const DnsQuestion& question, const DnsAnswer& answer) {
  std::string id = query.substr(0, 2);
  if (answer.wrong_id) id[1] = static_cast<char>(id[1] + 1);
  // A response with recursion desired and available.
  const std::size_t flags = 0x8180U | (answer.truncated ? 0x0200U : 0U) | answer.rcode;
  std::string out = id + u16(flags) + u16(1) + u16(answer.records.size()) + u16(0) + u16(0);
  out += encode_name(answer.asked_name.empty() ? question.name : answer.asked_name);
  out += u16(question.type) + u16(1);
  for (const auto& record : answer.records) out += encode_record(record);
  return out;
}

net::UniqueFd bound(int type, const net::Endpoint& endpoint) {
  net::UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = endpoint.to_sockaddr(storage);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) return {};
  if (type == SOCK_STREAM && ::listen(fd.get(), 8) != 0) return {};
  return fd;
}

std::uint16_t port_of(const net::UniqueFd& fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return net::Endpoint::from_sockaddr(storage)->port();
}

}  // namespace

ScriptedDns::ScriptedDns(Script script, std::string address, std::uint16_t port)
    : script_(std::move(script)), address_(std::move(address)) {
  const auto ip = *net::IpAddress::parse(address_);
  // A free UDP port may be taken in TCP.
  for (int attempt = 0; attempt < 50 && !tcp_; ++attempt) {
    udp_ = bound(SOCK_DGRAM, {ip, port});
    if (udp_) tcp_ = bound(SOCK_STREAM, {ip, port_of(udp_)});
  }
  if (!tcp_) throw std::runtime_error("no port for a name server");
  port_ = port_of(udp_);
  thread_ = std::thread([this] { run(); });
}

ScriptedDns::~ScriptedDns() {
  stopping_ = true;
  thread_.join();
}

std::string ScriptedDns::server() const {
  return address_ + ":" + std::to_string(port_);
}

std::vector<DnsQuestion> ScriptedDns::questions() const {
  const std::lock_guard lock(mutex_);
  return questions_;
}

void ScriptedDns::run() {
  while (!stopping_) {
    std::array<pollfd, 2> waits{{{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), 20);
    if (waits[0].revents) answer_datagram();
    if (waits[1].revents) answer_stream();
  }
}

void ScriptedDns::answer_datagram() {
  std::array<char, 1500> buffer{};
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  auto* const peer = reinterpret_cast<sockaddr*>(&from);
  const ssize_t got = ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, peer, &length);
  if (got <= 0) return;
  for (const auto& answer : answers({buffer.data(), static_cast<std::size_t>(got)}, false)) {
    ::sendto(udp_.get(), answer.data(), answer.size(), 0, peer, length);
  }
}

/// One question per connection, which the client sends in one go.
void ScriptedDns::answer_stream() {
  const net::UniqueFd peer(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 1500> buffer{};
  for (;;) {
    const ssize_t got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
    if (got <= 2) return;
    for (std::size_t at = 0; at + 2 < static_cast<std::size_t>(got);) {
      const std::size_t size = static_cast<unsigned char>(buffer[at]) * 256U +
                               static_cast<unsigned char>(buffer[at + 1]);
      for (const auto& answer : answers({buffer.data() + at + 2, size}, true)) {
        const std::string framed = u16(answer.size()) + answer;
        // In pieces, as a stream may arrive.
        for (std::size_t sent = 0; sent < framed.size(); sent += 100) {
          const std::string piece = framed.substr(sent, 100);
          if (::send(peer.get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
        }
      }
      at += 2 + size;
    }
  }
}

std::vector<std::string> ScriptedDns::answers(const std::string& query, bool tcp) {
  const auto question = parse(query, tcp);
  if (!question) return {};
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(*question);
  }
  std::vector<std::string> out;
  for (const auto& answer : script_(*question)) out.push_back(encode(query, *question, answer));
  return out;
}

}  // namespace portunus::test
