#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "dataplane/dns/answer.hpp"
#include "dataplane/dns/limits.hpp"

namespace portunus::dataplane::dns {

struct ResolverOptions {
  /// Empty = the host's configuration (name servers, search list, hosts file), read anew for every
  /// lookup. For tests: "127.0.0.1:5353", and nothing of the host's configuration counts.
  std::string servers = {};
  /// For tests: the file to read in place of /etc/resolv.conf, and the port of its name servers.
  std::string resolv_conf = {};
  std::uint16_t resolv_conf_port = 53;
  /// What the cache goes by; read on the resolver's thread.
  const Clock* clock = &SystemClock::instance();
  Limits limits = {};
};

/// The process's one resolver and cache, shared by all rules and both protocols (data-plane section
/// 8). Works on one io_context; resolve() may be called from any thread.
class Resolver {
 public:
  using Reply = dns::Reply;
  using Handler = std::move_only_function<void(Reply)>;

  Resolver(boost::asio::io_context& home, ResolverOptions options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Calls `handler` exactly once, by a post to `reply_to`, never from within this call. `name` is
  /// a lower-case host name; a lookup that it takes is one of `asker`'s.
  void resolve(std::string name, boost::asio::any_io_executor reply_to, Handler handler,
               Asker asker = Asker::nobody);
  /// Answers everything under way with Failure::other and lets the io_context run out of work. On
  /// the home thread.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace portunus::dataplane::dns
