#include "portal/cli/help_text.hpp"

namespace portunus::portal::cli {
namespace {

// In the order of the contract's tables (portal 1, 2, 15).
constexpr std::string_view kHelp =
    R"(portunus-portal - encrypted relay of TCP and UDP over TLS 1.3 and QUIC

Usage:
  portunus-portal <portal-url>         run a Portal until SIGINT or SIGTERM
  portunus-portal connect ...          forward a local port through a Portal;
                                       see portunus-portal connect --help
  portunus-portal help                 print this text, also -h, --help
  portunus-portal version              print the version, also -v, --version

  Only the first argument counts.

Options:
  -h, --help                           print this text and exit
  -v, --version                        print the version and exit

Portal URL:
  portal://<shared-key>@<listen-host>:<listen-port>[?<name>=<value>&...]

  <shared-key>    1..255 bytes of UTF-8, percent-encoded where needed. Who
                  knows it may use the Portal.
                  Password credentials are not supported.
  <listen-host>   empty for all IPv4 and IPv6 addresses, an IPv4 address, an
                  IPv6 address in brackets, or a name (its first address)
  <listen-port>   0..65535, required; one number for TLS on TCP and QUIC on UDP

Parameters (the first occurrence of a name wins, an empty value is the default):
  tls=1|2         1: a new self-signed certificate at every start (default)
                  2: the PEM files of crt and key, read again while the Portal
                  runs (NOW_RELOAD_INTERVAL)
                  tls=0 is not supported.
  crt=<path>      PEM certificate chain, leaf first; tls=2 only
  key=<path>      PEM private key: PKCS#8, PKCS#1 or SEC1; tls=2 only
  net=mix|tcp|udp listeners: both, TLS on TCP only, QUIC on UDP only (mix).
                  TLS carries TCP relays and UDP-over-TCP (UoT), QUIC carries
                  TCP relays and UDP in DATAGRAM frames
  spec=<text>     shapes frames and paddings; both sides need the same (auto)
  alpn=<text>     the one protocol that TLS negotiates (now/1); for QUIC at
                  most 31 bytes
  dial=<address>  local address that targets are dialled from (auto)
  rate=<mbps>     limit from clients to targets in Mbit/s, 0 for none (0)
  etar=<mbps>     limit from targets to clients in Mbit/s, 0 for none (0)
  log=<level>     none, debug, info, warn, error or event (info). All but none
                  show EVENT records, CHECK_POINT among them

Environment:
  NOW_QUIC_MAX_STREAMS   1024    streams of a QUIC connection at once
  NOW_TCP_DATA_BUF_SIZE  32768   bytes of buffer per direction of a TCP relay
  NOW_UDP_DATA_BUF_SIZE  65536   bytes of the largest packet from a target
  NOW_TCP_DIAL_TIMEOUT   15s     to resolve and reach a TCP target
  NOW_UDP_DIAL_TIMEOUT   15s     to resolve and open a UDP target
  NOW_TCP_READ_TIMEOUT   30s     left to one direction when the other has ended
  NOW_UDP_IDLE_TIMEOUT   120s    silence that ends a UDP flow or a QUIC connection
  NOW_HANDSHAKE_TIMEOUT  5s      TLS handshake, authentication, requests
  NOW_REPORT_INTERVAL    5s      between two CHECK_POINT records
  NOW_SHUTDOWN_TIMEOUT   5s      from the signal to the end
  NOW_RELOAD_INTERVAL    3600s   least time between two readings of the PEM files
  NOW_SERVICE_COOLDOWN   3s      reserved
  NO_COLOR               -       no colours on a terminal

  Durations are written as 500ms, 90s, 1m30s or 2h; 0 is taken literally. A
  value that cannot be read is the default.

Output:
  Records go to standard output. A failed start prints one line on standard
  error and exits with status 1; an orderly stop exits with status 0.

Examples:
  portunus-portal 'portal://secret@:2077'
  portunus-portal 'portal://secret@:2077?net=tcp&rate=100&etar=100'
  portunus-portal 'portal://sec%20ret@[::1]:2077?spec=edge-a&log=debug'
  portunus-portal 'portal://secret@relay.example.com:443?tls=2&crt=/etc/portunus/portal.crt&key=/etc/portunus/portal.key'
  NOW_UDP_IDLE_TIMEOUT=5m portunus-portal 'portal://secret@:2077?net=udp'

  The URL holds the key: whoever may list processes on this machine can read it.
)";

}  // namespace

std::string_view help_text() {
  return kHelp;
}

}  // namespace portunus::portal::cli
