#include "dataplane/dns/ares_lookup.hpp"

#include <ares.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/deadline.hpp"
#include "common/net/host_error.hpp"
#include "dataplane/dns/resolver.hpp"

namespace portunus::dataplane::dns {
namespace {

namespace asio = boost::asio;

/// How long one server is waited for before the next one is asked, or it again: twice as long in
/// each round over all of them. Three servers get their turn within the engine's attempt.
constexpr std::chrono::milliseconds kServerTimeout(1000);
/// Of rounds; c-ares counts a round's milliseconds in an int.
constexpr int kMostRounds = 20;
/// What one family is waited for once the other has been answered.
constexpr std::chrono::seconds kOtherFamily(3);

/// As many as one server needs to be waited for until the attempt's deadline, which cuts the last.
int rounds_within(std::chrono::nanoseconds attempt) {
  int rounds = 1;
  while (rounds < kMostRounds && kServerTimeout * ((1 << rounds) - 1) < attempt) ++rounds;
  return rounds;
}

/// Response codes of RFC 1035 section 4.1.1 with which a server declines to answer.
constexpr int kServfail = 2;
constexpr int kNotImplemented = 4;
constexpr int kRefused = 5;
/// The fixed part of a message, the bit of a truncated one, the number of its answers.
constexpr ssize_t kHeader = 12;
constexpr unsigned char kTruncated = 0x02;
constexpr std::size_t kAnswerCount = 6;

struct FreeAddrinfo {
  void operator()(ares_addrinfo* info) const { ares_freeaddrinfo(info); }
};

std::optional<net::IpAddress> address_of(const ares_addrinfo_node& node) {
  sockaddr_storage storage{};
  if (node.ai_addrlen > sizeof storage) return std::nullopt;
  std::memcpy(&storage, node.ai_addr, node.ai_addrlen);
  const auto endpoint = net::Endpoint::from_sockaddr(storage);
  if (!endpoint) return std::nullopt;
  return endpoint->address();
}

/// TTLs above 2^31 count as zero (RFC 2181 section 8).
void lower_ttl(std::optional<std::uint32_t>& ttl, int found) {
  const auto seconds = static_cast<std::uint32_t>(std::max(found, 0));
  ttl = std::min(ttl.value_or(seconds), seconds);
}

Resolved resolved_of(const ares_addrinfo& info) {
  Resolved out;
  for (const auto* node = info.nodes; node; node = node->ai_next) {
    const auto address = address_of(*node);
    if (!address) continue;
    auto& family = address->is_v6() ? out.v6 : out.v4;
    // A hosts file may name one address twice; dialling it twice helps nobody.
    if (std::ranges::find(family, *address) == family.end()) family.push_back(*address);
    lower_ttl(out.ttl, node->ai_ttl);
  }
  for (const auto* alias = info.cnames; alias; alias = alias->next) lower_ttl(out.ttl, alias->ttl);
  return out;
}

const char* refusal_name(int code) {
  return code == kServfail ? "SERVFAIL" : code == kNotImplemented ? "NOTIMP" : "REFUSED";
}

}  // namespace

struct AresLookup::Socket {
  explicit Socket(asio::io_context& home) : descriptor(home) {}

  asio::posix::stream_descriptor descriptor;
  bool datagram = false;
  bool want_read = false;
  bool want_write = false;
  bool reading = false;  ///< a wait is under way
  bool writing = false;
};

/// Sockets are ours so that Asio can watch them, and so that the response codes are seen. c-ares
/// calls these only from within calls of ours.
struct AresLookup::Callbacks {
  static AresLookup& lookup(void* self) { return *static_cast<AresLookup*>(self); }
  /// The result of a system call.
  template <class Result>
  static Result noted(void* self, Result result) {
    if (result < 0) lookup(self).note(errno);
    return result;
  }

  static int open(int family, int type, int protocol, void* self) {
    const int fd = noted(self, ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
    if (fd < 0) return -1;
    auto socket = std::make_shared<Socket>(lookup(self).home_);
    boost::system::error_code ec;
    socket->descriptor.assign(fd, ec);
    if (ec) {
      lookup(self).note(ec.value());
      ::close(fd);
      return -1;
    }
    socket->datagram = type == SOCK_DGRAM;
    lookup(self).sockets_.emplace(fd, std::move(socket));
    return fd;
  }

  static int close(int fd, void* self) {
    auto& sockets = lookup(self).sockets_;
    const auto found = sockets.find(fd);
    if (found == sockets.end()) return -1;
    boost::system::error_code ignored;
    found->second->descriptor.close(ignored);
    sockets.erase(found);
    return 0;
  }

  static int connect(int fd, const sockaddr* address, ares_socklen_t length, void* self) {
    return noted(self, ::connect(fd, address, length));
  }

  static ares_ssize_t receive(int fd, void* buffer, std::size_t size, int flags, sockaddr* from,
                              ares_socklen_t* length, void* self) {
    const ssize_t got = ::recvfrom(fd, buffer, size, flags, from, length);
    const auto& socket = lookup(self).sockets_.find(fd)->second;
    if (socket->datagram && got >= kHeader) {
      lookup(self).look_at(static_cast<const unsigned char*>(buffer));
    }
    return got;
  }

  static ares_ssize_t send(int fd, const iovec* parts, int count, void* self) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t sent = noted(self, ::sendmsg(fd, &message, MSG_NOSIGNAL));
    // The refusal of the datagram before this one. Were it swallowed here, that query would wait
    // for its timeout; the next refusal is met in receive(), where it counts for all of them.
    if (sent < 0 && errno == ECONNREFUSED && lookup(self).sockets_.find(fd)->second->datagram) {
      return ::sendmsg(fd, &message, MSG_NOSIGNAL);
    }
    return sent;
  }

  static void state(void* self, int fd, int read, int write) {
    const auto found = lookup(self).sockets_.find(fd);
    if (found == lookup(self).sockets_.end()) return;
    found->second->want_read = read != 0;
    found->second->want_write = write != 0;
    lookup(self).watch(found->second);
  }

  static void result(void* self, int status, int /*timeouts*/, ares_addrinfo* info) {
    const std::unique_ptr<ares_addrinfo, FreeAddrinfo> owned(info);
    lookup(self).on_result(status, info);
  }

  static constexpr ares_socket_functions kSockets{&open, &close, &connect, &receive, &send};
};

AresLookup::AresLookup(asio::io_context& home, Done done)
    : home_(home), done_(std::move(done)), timer_(home) {}

AresLookup::~AresLookup() {
  close();
}

void AresLookup::start(const std::string& name, const ResolverOptions& options) {
  deadline_ = deadline_after(std::chrono::steady_clock::now(), options.limits.attempt);
  errno = 0;
  const int status = open_channel(options);
  // A file that could not be opened shows nowhere else.
  note(errno);
  if (status != ARES_SUCCESS) return finish(std::unexpected(failure(status)));
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  // The order of the server is kept; sorting would probe routes by connecting to the addresses.
  hints.ai_flags = ARES_AI_NOSORT;
  errno = 0;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Callbacks::result, this);
  note(errno);
  arm_timer();
}

void AresLookup::close() {
  finished_ = true;
  done_ = nullptr;
  timer_.cancel();
  if (channel_) ares_destroy(std::exchange(channel_, nullptr));
}

int AresLookup::open_channel(const ResolverOptions& options) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS) return library;
  ares_options wanted{};
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  wanted.timeout = static_cast<int>(kServerTimeout.count());
  wanted.tries = rounds_within(options.limits.attempt);
  wanted.sock_state_cb = &Callbacks::state;
  wanted.sock_state_cb_data = this;
  std::string lookups = "b";
  std::string path = options.resolv_conf;
  if (!options.servers.empty()) {
    // Name servers only: neither a hosts file nor a search list.
    mask |= ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
    wanted.lookups = lookups.data();
  } else if (!path.empty()) {
    mask |= ARES_OPT_RESOLVCONF | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
    wanted.resolvconf_path = path.data();
    wanted.udp_port = wanted.tcp_port = options.resolv_conf_port;
  }
  if (const int status = ares_init_options(&channel_, &wanted, mask); status != ARES_SUCCESS) {
    channel_ = nullptr;
    return status;
  }
  ares_set_socket_functions(channel_, &Callbacks::kSockets, this);
  if (options.servers.empty()) return ARES_SUCCESS;
  return ares_set_servers_ports_csv(channel_, options.servers.c_str());
}

void AresLookup::on_result(int status, const ares_addrinfo* result) {
  if (status == ARES_SUCCESS && result) return finish(resolved_of(*result));
  finish(std::unexpected(failure(status)));
}

/// From inside a call of c-ares as a rule: the channel must outlive it, hence the post.
void AresLookup::finish(LookupOutcome outcome) {
  if (std::exchange(finished_, true)) return;
  asio::post(home_, [self = shared_from_this(), outcome = std::move(outcome)]() mutable {
    Done done = std::move(self->done_);
    self->close();
    if (done) done(std::move(outcome));
  });
}

void AresLookup::process(int readable, int writable) {
  if (!channel_) return;
  ares_process_fd(channel_, readable, writable);
  for (const auto& [fd, socket] : sockets_) watch(socket);
  arm_timer();
}

void AresLookup::watch(const std::shared_ptr<Socket>& socket) {
  using Descriptor = asio::posix::stream_descriptor;
  const auto wait = [&](Descriptor::wait_type type, bool Socket::* waiting) {
    (*socket).*waiting = true;
    socket->descriptor.async_wait(
        type, [self = shared_from_this(), socket, type, waiting](boost::system::error_code ec) {
          (*socket).*waiting = false;
          // A socket that was closed meanwhile may have given its number to another one.
          if (ec || !socket->descriptor.is_open()) return;
          const int fd = socket->descriptor.native_handle();
          self->process(type == Descriptor::wait_read ? fd : ARES_SOCKET_BAD,
                        type == Descriptor::wait_write ? fd : ARES_SOCKET_BAD);
        });
  };
  if (socket->want_read && !socket->reading) wait(Descriptor::wait_read, &Socket::reading);
  if (socket->want_write && !socket->writing) wait(Descriptor::wait_write, &Socket::writing);
}

void AresLookup::arm_timer() {
  if (finished_) return;
  timeval storage{};
  SteadyTime when = deadline_;
  if (const timeval* next = ares_timeout(channel_, nullptr, &storage)) {
    // It counts whole milliseconds and rounds down.
    const auto wait = std::chrono::seconds(next->tv_sec) +
                      std::chrono::microseconds(next->tv_usec) + std::chrono::milliseconds(1);
    when = std::min(when, std::chrono::steady_clock::now() + wait);
  }
  timer_.expires_at(when);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->on_timer();
  });
}

void AresLookup::on_timer() {
  if (finished_) return;
  if (std::chrono::steady_clock::now() < deadline_) {
    return process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }
  // Ends the queries still under way, and with them the lookup, with what the others have brought.
  timed_out_ = true;
  ares_cancel(channel_);
  finish(std::unexpected(failure(ARES_ETIMEOUT)));
}

void AresLookup::note(int error) {
  if (net::is_of_this_host(error)) host_error_ = error;
}

/// Whether it is one to our question is for c-ares to say; a forged one costs the patience at most.
void AresLookup::look_at(const unsigned char* answer) {
  const int code = answer[3] & 0x0f;
  if (code == kServfail || code == kNotImplemented || code == kRefused) refusal_ = code;
  const bool truncated = (answer[2] & kTruncated) != 0;
  const bool some = answer[kAnswerCount] != 0 || answer[kAnswerCount + 1] != 0;
  if (code != 0 || truncated || !some) return;
  deadline_ = std::min(deadline_, deadline_after(std::chrono::steady_clock::now(), kOtherFamily));
}

LookupError AresLookup::failure(int status) const {
  const bool own = host_error_ != 0;
  if (timed_out_ || status == ARES_ETIMEOUT) {
    return {Failure::attempt_timeout, "no name server answered in time", own};
  }
  if (status == ARES_ENOTFOUND || status == ARES_ENODATA) {
    const char* const detail = status == ARES_ENOTFOUND ? "no such name" : "no address records";
    return {Failure::nxdomain, detail, own};
  }
  if (refusal_ != 0) {
    return {Failure::servfail, std::string("name server answered ") + refusal_name(refusal_), own};
  }
  if (own) return {Failure::other, std::system_category().message(host_error_), own};
  return {Failure::other, ares_strerror(status), status == ARES_ENOMEM};
}

}  // namespace portunus::dataplane::dns
