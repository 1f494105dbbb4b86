#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/base/clock.hpp"
#include "dataplane/dns/lookup_outcome.hpp"

// Of <ares.h>, which stays in ares_lookup.cpp.
struct ares_channeldata;
struct ares_addrinfo;
struct ares_socket_functions;

namespace portunus::dataplane::dns {

struct ResolverOptions;

/// One attempt to resolve one name through c-ares: A and AAAA together, at most Limits::attempt,
/// and the one at most three seconds behind an answer to the other. What one family has answered by
/// then is used; without any answer the attempt has timed out.
///
/// It owns a c-ares channel of its own. So a changed resolv.conf or hosts file counts from the next
/// lookup, queries of two lookups never share a source port, and giving one up leaves nothing
/// behind. Setting one up reads four small files, which is some 50 µs on the resolver's thread.
///
/// Lives on one io_context and keeps itself alive until it is done; close() ends it early.
class AresLookup : public std::enable_shared_from_this<AresLookup> {
 public:
  using Done = std::move_only_function<void(LookupOutcome)>;

  AresLookup(boost::asio::io_context& home, Done done);
  ~AresLookup();
  AresLookup(const AresLookup&) = delete;
  AresLookup& operator=(const AresLookup&) = delete;

  /// Once. `done` is called by a post to the io_context, never from within this call.
  void start(const std::string& name, const ResolverOptions& options);
  /// Closes everything; `done` is not called any more.
  void close();

 private:
  struct Socket;
  struct Callbacks;  ///< what c-ares calls

  int open_channel(const ResolverOptions& options);
  void on_result(int status, const ares_addrinfo* result);
  void finish(LookupOutcome outcome);
  void process(int readable, int writable);
  void watch(const std::shared_ptr<Socket>& socket);
  void arm_timer();
  void on_timer();
  void look_at(const unsigned char* answer);
  LookupError failure(int status) const;
  /// Remembers an errno that says nothing of the name.
  void note(int error);

  boost::asio::io_context& home_;
  Done done_;
  ares_channeldata* channel_ = nullptr;
  std::unordered_map<int, std::shared_ptr<Socket>> sockets_;
  boost::asio::steady_timer timer_;
  SteadyTime deadline_{};
  bool finished_ = false;
  bool timed_out_ = false;
  /// The last answer that said a server will not tell (RFC 1035 section 4.1.1); 0 = none did.
  /// c-ares moves on to the next server and in the end reports them like an unreachable one.
  int refusal_ = 0;
  /// What this host lacked for the lookup; 0 = nothing. c-ares goes on without a socket or a file
  /// and reports an unreachable server.
  int host_error_ = 0;
};

}  // namespace portunus::dataplane::dns
