#include "portal/server/tls_core.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "portal/server/tls_session.hpp"

namespace portunus::portal::server {

namespace asio = boost::asio;

TlsCore::TlsCore(Services& services, asio::io_context& context, unsigned index,
                 std::unique_ptr<tls::ServerContext> tls)
    : services_(services, context, index), tls_(std::move(tls)), gate_(context.get_executor()) {}

Result<std::unique_ptr<TlsCore>> TlsCore::create(Services& services, asio::io_context& context,
                                                 unsigned index) {
  auto tls = tls::ServerContext::create(services.credentials, services.alpn);
  if (!tls) return fail(tls.error());
  return std::unique_ptr<TlsCore>(new TlsCore(services, context, index, std::move(*tls)));
}

void TlsCore::take(net::UniqueFd fd, const net::Endpoint& peer, relay::Admission::Slot slot) {
  if (stopped_) return;
  asio::ip::tcp::socket socket(services_.context);
  const auto protocol = peer.address().is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  boost::system::error_code ec;
  socket.assign(protocol, fd.get(), ec);
  if (ec) return;
  fd.release();
  auto session =
      std::make_unique<TlsSession>(services_, *tls_, std::move(socket), peer, std::move(slot));
  gate_.spawn(TlsSession::run(std::move(session)));
}

void TlsCore::request_stop() {
  stopped_ = true;
  gate_.request_stop();
}

}  // namespace portunus::portal::server
