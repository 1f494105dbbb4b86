#include "portal/client/forwarder/udp_forwarder.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace portunus::portal::client::forwarder {

namespace asio = boost::asio;

/// One client address. Alive while it stands in the forwarder's map or one of its coroutines runs.
class UdpForwarder::Flow final : public UdpReceiver {
 public:
  const net::Endpoint client;
  std::unique_ptr<UdpFlow> carrier;
  SteadyTime last_used;
  ByAge::iterator place;
  bool over = false;
  bool in_batch = false;

  Flow(UdpForwarder& owner, const net::Endpoint& address, const sockaddr_storage& to)
      : client(address), owner_(owner), to_(to) {}

  void send(std::span<const std::uint8_t> payload) {
    if (carrier) {
      carrier->send(payload);
    } else if (pending_.size() < owner_.options_.pending_packets &&
               pending_bytes_ + payload.size() <= owner_.options_.pending_bytes) {
      pending_.emplace_back(payload.begin(), payload.end());
      pending_bytes_ += payload.size();
    }
  }

  void opened(std::unique_ptr<UdpFlow> flow) {
    carrier = std::move(flow);
    for (const auto& packet : std::exchange(pending_, {})) carrier->send(packet);
    carrier->flush();
  }

  void on_packet(std::span<const std::uint8_t> payload) override {
    if (over) return;
    owner_.touch(*this);
    owner_.socket_->send(to_, payload);
  }
  void on_closed(const Error& why) override { owner_.forget_soon(*this, why); }

 private:
  UdpForwarder& owner_;
  const sockaddr_storage to_;
  std::vector<std::vector<std::uint8_t>> pending_;
  std::size_t pending_bytes_ = 0;
};

std::size_t UdpForwarder::AddressHash::operator()(const net::Endpoint& address) const {
  std::uint64_t halves[2];
  static_assert(sizeof halves == sizeof address.address().bytes());
  std::memcpy(halves, address.address().bytes().data(), sizeof halves);
  // Odd multipliers spread the low bits, where addresses of one network and ports differ.
  return (halves[0] * 0x9E3779B97F4A7C15U) ^ (halves[1] * 0xC2B2AE3D27D4EB4FU) ^
         (address.port() * 0x165667B19E3779F9U);
}

UdpForwarder::UdpForwarder(asio::any_io_executor executor, Transport& transport, UdpOptions options,
                           OnTrouble on_trouble)
    : executor_(executor),
      transport_(transport),
      options_(std::move(options)),
      on_trouble_(std::move(on_trouble)),
      readiness_(executor),
      expiry_(executor, asio::steady_timer::time_point::max()),
      gate_(executor) {}

UdpForwarder::~UdpForwarder() {
  if (readiness_.is_open()) readiness_.release();
}

Result<net::Endpoint> UdpForwarder::listen(const net::Endpoint& local) {
  Result<LocalUdpSocket> socket = LocalUdpSocket::bind(local);
  if (!socket) return fail(socket.error());
  socket_.emplace(std::move(*socket));
  boost::system::error_code ec;
  readiness_.assign(socket_->fd(), ec);
  if (ec) return fail_errno(ec.value(), local.text());
  return socket_->local();
}

void UdpForwarder::start() {
  gate_.spawn(receive_loop());
  gate_.spawn(expire_loop());
}

async::Task<> UdpForwarder::receive_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    const unsigned count = socket_->receive();
    if (count > 0) take_batch(count);
    if (stopping_) break;
    if (count == LocalUdpSocket::kBatch) {
      // A flood must not keep the answers waiting.
      co_await asio::post(executor_, asio::use_awaitable);
    } else {
      co_await readiness_.async_wait(asio::posix::descriptor_base::wait_read, async::kTuple);
    }
  }
}

void UdpForwarder::take_batch(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const std::shared_ptr<Flow> flow = find_or_open(socket_->source(i));
    if (!flow) continue;
    flow->send(socket_->payload(i));
    if (flow->in_batch) continue;
    flow->in_batch = true;
    touched_.push_back(flow);
  }
  for (const auto& flow : touched_) {
    flow->in_batch = false;
    if (flow->over) continue;
    touch(*flow);
    if (flow->carrier) flow->carrier->flush();
  }
  touched_.clear();
}

std::shared_ptr<UdpForwarder::Flow> UdpForwarder::find_or_open(const sockaddr_storage& source) {
  const auto client = net::Endpoint::from_sockaddr(source);
  if (!client) return nullptr;
  if (const auto known = flows_.find(*client); known != flows_.end()) return known->second;
  if (flows_.size() >= options_.max_flows) return nullptr;
  auto flow = std::make_shared<Flow>(*this, *client, source);
  flow->last_used = SystemClock::instance().steady_now();
  const bool first = by_age_.empty();
  flow->place = by_age_.insert(by_age_.end(), flow);
  flows_.emplace(*client, flow);
  if (first) expiry_.cancel();
  gate_.spawn(open(flow));
  return flow;
}

async::Task<> UdpForwarder::open(std::shared_ptr<Flow> flow) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<std::unique_ptr<UdpFlow>> carrier = co_await transport_.open_udp(options_.target, *flow);
  if (flow->over) co_return;  // and with it the carrier
  if (carrier) {
    flow->opened(std::move(*carrier));
  } else {
    if (on_trouble_) on_trouble_(flow->client, carrier.error());
    forget(flow);
  }
}

async::Task<> UdpForwarder::expire_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    const SteadyTime now = SystemClock::instance().steady_now();
    while (!by_age_.empty() && by_age_.front()->last_used + options_.idle <= now) {
      forget(std::shared_ptr<Flow>(by_age_.front()));
    }
    expiry_.expires_at(by_age_.empty() ? SteadyTime::max()
                                       : by_age_.front()->last_used + options_.idle);
    co_await expiry_.async_wait(async::kTuple);
  }
}

void UdpForwarder::touch(Flow& flow) {
  flow.last_used = SystemClock::instance().steady_now();
  by_age_.splice(by_age_.end(), by_age_, flow.place);
}

void UdpForwarder::forget(const std::shared_ptr<Flow>& flow) {
  if (flow->over) return;
  flow->over = true;
  by_age_.erase(flow->place);
  flows_.erase(flow->client);
  flow->carrier.reset();
}

void UdpForwarder::forget_soon(Flow& flow, const Error& why) {
  if (flow.over) return;
  if (on_trouble_) on_trouble_(flow.client, why);
  gate_.spawn(forget_later(*flow.place));
}

async::Task<> UdpForwarder::forget_later(std::shared_ptr<Flow> flow) {
  co_await asio::post(executor_, asio::use_awaitable);
  forget(flow);
}

void UdpForwarder::request_stop() {
  if (stopping_) return;
  stopping_ = true;
  if (readiness_.is_open()) readiness_.release();
  expiry_.cancel();
  while (!by_age_.empty()) forget(std::shared_ptr<Flow>(by_age_.front()));
}

async::Task<bool> UdpForwarder::drain(std::chrono::steady_clock::duration grace) {
  request_stop();
  gate_.request_stop();
  co_return co_await gate_.drain(grace);
}

}  // namespace portunus::portal::client::forwarder
