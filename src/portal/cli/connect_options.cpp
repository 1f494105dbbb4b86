#include "portal/cli/connect_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <ostream>
#include <vector>

#include "common/command_line/options.hpp"
#include "common/command_line/words.hpp"
#include "portal/client/warm_pool.hpp"

namespace portunus::portal::cli {
namespace {

constexpr int kUsageError = 2;

constexpr const char* kDescription =
    "Opens a local port whose connections or packets come out at one target behind a Portal.\n"
    "The URL is the one that the Portal was started with, with a host that leads to it; of its\n"
    "parameters spec, alpn and log count, and pin=<hex>.";

constexpr const char* kFooter =
    "Trust: without --pin or --insecure the Portal must present a certificate of an authority "
    "that\n"
    "this system trusts, for the host of the URL (a Portal with tls=2). A Portal with tls=1 makes\n"
    "its own certificate at every start.\n"
    "A wrong key shows as connections that end without data: the Portal never says why.\n\n"
    "Examples:\n"
    "  portunus-portal connect 'portal://secret@relay.example:2077' --listen 127.0.0.1:8080 \\\n"
    "    --target www.example.com:80\n"
    "  portunus-portal connect 'portal://secret@203.0.113.7:2077' --listen 127.0.0.1:5353 \\\n"
    "    --target 192.0.2.53:53 --udp --insecure";

void add_options(CLI::App& app, ConnectOptions& options) {
  app.add_option("url", options.url, "portal://<shared-key>@<host>:<port>[?spec=&alpn=&pin=]")
      ->required()
      ->type_name("<portal-url>");
  app.add_option("--listen", options.listen, "Local address; port 0 lets the system choose")
      ->required()
      ->type_name("<ip:port>");
  app.add_option("--target", options.target,
                 "Where it leads, as the Portal reaches it; IPv6 in brackets")
      ->required()
      ->type_name("<host:port>");
  command_line::add_switch(app, "--udp", "Forward UDP instead of TCP", options.udp);
  app.add_option("--carrier", options.carrier,
                 "tcp: TLS, UDP in frames on it. quic: streams and DATAGRAMs of one connection. "
                 "Default: tcp, for UDP quic")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Carrier>{{"tcp", Carrier::tcp},
                                                                         {"quic", Carrier::quic}})
                      .description(""))
      ->type_name("<tcp|quic>");
  auto* pin = command_line::add_text(
                  app, "--pin", "Trust exactly the certificate with this SHA-256 (64 hex digits)",
                  options.pin)
                  ->type_name("<hex>");
  command_line::add_switch(app, "--insecure",
                           "Trust any certificate; whoever answers can then relay what is sent",
                           options.insecure)
      ->excludes(pin);
  app.add_option("--pool", options.pool,
                 "TLS connections to keep authenticated ahead, 0 to 9; default 5")
      ->check(CLI::Range(std::size_t{0}, client::WarmPool::kMostSlots).description(""))
      ->type_name("<n>");
}

}  // namespace

std::variant<ConnectOptions, ConnectDone> parse_connect(int argc, const char* const* argv,
                                                        std::ostream& out, std::ostream& err) {
  ConnectOptions options;
  CLI::App app(kDescription, "portunus-portal connect");
  app.set_help_flag("-h,--help", "Print this help");
  add_options(app, options);
  app.footer(kFooter);
  const std::vector<std::string> words(argv + std::min(argc, 2), argv + argc);
  try {
    app.parse(command_line::for_parser(words));
  } catch (const CLI::ParseError& error) {
    return ConnectDone{app.exit(error, out, err) == 0 ? 0 : kUsageError};
  }
  return options;
}

}  // namespace portunus::portal::cli
