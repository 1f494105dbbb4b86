#include "dataplane/tcp/wind_down.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace portunus::dataplane::tcp {
namespace {

enum class Part { done, waiting, failed };

/// At most what is read of a peer that does not stop, each time it has sent more.
constexpr int kReads = 16;

Part deliver(RelayTools& tools, TcpRule& rule, OneWay& way, Leg& from, Leg& to) {
  if (way.ended()) return Part::done;
  switch (way.run(tools, rule, from, to)) {
    case OneWay::Step::waiting:
    case OneWay::Step::more:
      return Part::waiting;
    case OneWay::Step::failed:
      return Part::failed;
    case OneWay::Step::ended:
    case OneWay::Step::cut_off:
      break;
  }
  ::shutdown(to.fd, SHUT_WR);
  return Part::done;
}

Part discard(RelayTools& tools, const Leg& leg) {
  for (int i = 0; i < kReads; ++i) {
    const ssize_t n = ::recv(leg.fd, tools.scratch.data(), tools.scratch.size(), MSG_TRUNC);
    if (n == 0) return Part::done;
    if (n > 0 || errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? Part::waiting : Part::failed;
  }
  return Part::waiting;
}

}  // namespace

bool wind_down(RelayTools& tools, TcpRule& rule, OneWay& in, OneWay& out, Leg& down, Leg& up) {
  const Part parts[]{deliver(tools, rule, in, down, up), deliver(tools, rule, out, up, down),
                     discard(tools, down), discard(tools, up)};
  bool done = true;
  for (const Part part : parts) {
    if (part == Part::failed) return true;
    done = done && part == Part::done;
  }
  return done;
}

}  // namespace portunus::dataplane::tcp
