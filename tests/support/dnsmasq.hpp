#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace portunus::test {

/// A real dnsmasq on 127.0.0.1 that knows the names of one hosts file, all under .test, and
/// forwards nothing. Started by start(), ready when that returns; ended by stop() or with the
/// object.
class Dnsmasq {
 public:
  /// `options` go to the command line as they are.
  explicit Dnsmasq(std::vector<std::string> options = {});
  ~Dnsmasq();
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  /// Lines of a hosts file. While running: returns when the server answers from them.
  void set_hosts(const std::string& lines);
  /// The first time on a free port, afterwards on the same one.
  void start();
  /// Kills it.
  void stop();
  /// As ResolverOptions::servers wants it.
  std::string server() const;

 private:
  bool start_now();
  bool answers(const std::string& name) const;
  void write_hosts();

  TempDir dir_;
  std::vector<std::string> options_;
  std::string hosts_;
  int generation_ = 0;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace portunus::test
