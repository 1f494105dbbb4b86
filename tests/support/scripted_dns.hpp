#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/net/unique_fd.hpp"

namespace portunus::test {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeCname = 5;
constexpr std::uint16_t kTypeAaaa = 28;

struct DnsQuestion {
  std::string name;
  std::uint16_t type;
  bool tcp;
};

struct DnsRecord {
  std::string owner;
  std::uint16_t type;
  std::uint32_t ttl;
  std::string data;  ///< an address in text, or a name
};

struct DnsAnswer {
  std::vector<DnsRecord> records = {};
  std::uint8_t rcode = 0;
  bool truncated = false;
  bool wrong_id = false;
  /// Another name in the question section than was asked for.
  std::string asked_name = {};
};

/// A name server that says what a script says, true or not, over UDP and TCP on one port. The
/// script runs on a thread of its own; no answer at all leaves the question unanswered.
class ScriptedDns {
 public:
  using Script = std::function<std::vector<DnsAnswer>(const DnsQuestion&)>;

  /// Port 0 takes a free one.
  explicit ScriptedDns(Script script, std::string address = "127.0.0.1", std::uint16_t port = 0);
  ~ScriptedDns();
  ScriptedDns(const ScriptedDns&) = delete;
  ScriptedDns& operator=(const ScriptedDns&) = delete;

  std::uint16_t port() const { return port_; }
  /// As ResolverOptions::servers wants it.
  std::string server() const;
  std::vector<DnsQuestion> questions() const;

 private:
  void run();
  void answer_datagram();
  void answer_stream();
  std::vector<std::string> answers(const std::string& query, bool tcp);

  Script script_;
  std::string address_;
  std::uint16_t port_ = 0;
  net::UniqueFd udp_;
  net::UniqueFd tcp_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<DnsQuestion> questions_;
  std::thread thread_;
};

}  // namespace portunus::test
