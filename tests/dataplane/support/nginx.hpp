#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace portunus::test {

/// A real nginx with one server on 127.0.0.1, which takes connections when the constructor returns
/// and is killed with the object.
class Nginx {
 public:
  /// `listen`: parameters of its listen directive. `body`: what stands in its server block.
  Nginx(const std::string& listen, const std::string& body);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  TempDir dir_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace portunus::test
