#include "portal/server/portal.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <utility>

#include "common/base/deadline.hpp"
#include "portal/config/start_line.hpp"
#include "portal/credentials/credential_store.hpp"
#include "portal/quic/tls.hpp"
#include "portal/server/acceptor.hpp"
#include "portal/server/checkpoint.hpp"
#include "portal/server/listeners.hpp"
#include "portal/server/quic_carrier.hpp"
#include "portal/server/services.hpp"
#include "portal/server/session_record.hpp"
#include "portal/server/tls_core.hpp"
#include "portal/tls/tls_context.hpp"

namespace portunus::portal::server {
namespace {

namespace asio = boost::asio;
using async::Task;

/// What comes behind the window, and the most that each of it may take: tasks that are just ending,
/// cores that answer and threads that run out of work, threads that are told to end where they are.
constexpr std::chrono::milliseconds kUnwind(500);

relay::DialSettings dial_settings(const config::PortalConfig& config,
                                  const config::Tuning& tuning) {
  relay::DialSettings settings{
      .bind = {}, .tcp_timeout = tuning.tcp_dial_timeout, .udp_timeout = tuning.udp_dial_timeout};
  if (config.dial) settings.bind = config.dial->address;
  return settings;
}

/// As it was given, but for what the dials ask of it.
dataplane::dns::ResolverOptions resolver_options(dataplane::dns::ResolverOptions given,
                                                 const relay::DialSettings& dials) {
  given.limits = relay::lookup_limits(dials);
  return given;
}

}  // namespace

/// Everything of one Portal, members in the order in which they need each other.
class Portal::Impl final : public AcceptSink {
 public:
  Impl(config::PortalConfig config, const config::Tuning& tuning, log::Log& log,
       PortalOptions options)
      : config_(std::move(config)),
        tuning_(tuning),
        log_(log),
        options_(std::move(options)),
        counters_(options_.cores),
        pacers_{relay::Pacer(relay::Pacer::bytes_per_second(config_.rate_mbps)),
                relay::Pacer(relay::Pacer::bytes_per_second(config_.etar_mbps))},
        threads_("portal", options_.cores),
        resolver_(threads_.context(0),
                  resolver_options(options_.resolver, dial_settings(config_, tuning_))),
        checkpoint_(threads_.context(0), counters_, log_, tuning_.report_interval),
        accepting_(threads_.context(0).get_executor()) {}

  Result<> start();
  void request_stop();
  bool drain();
  /// Something of it did not end: it works on what is here, so leaving all behind is safe and
  /// destroying it is not. Kept where a leak checker sees it.
  static void keep_if_running(std::unique_ptr<Impl> impl);

  void on_accepted(net::UniqueFd socket, const net::Endpoint& peer) override;

  std::vector<net::Endpoint> tcp_endpoints() const;
  std::vector<net::Endpoint> udp_endpoints() const;

 private:
  Result<> load_credentials();
  Result<> make_services();
  Result<> bind();
  void release_sockets();
  Result<> check_pair(const credentials::Pair& pair) const;
  void on_reload(const Result<>& outcome);

  /// Ends what runs on core `index`; on its thread.
  void stop_core(unsigned index);
  /// True when all of core `index` has ended by the end of the window, or just behind it; on its
  /// thread.
  Task<bool> drain_core(unsigned index, SteadyTime until);
  // False when it did not come to that by `last`, whatever a core is doing.
  bool drain_cores(SteadyTime until, SteadyTime last);
  bool quiet_first_core(SteadyTime last);
  void leave_behind();

  const config::PortalConfig config_;
  const config::Tuning tuning_;
  log::Log& log_;
  const PortalOptions options_;

  relay::Counters counters_;
  relay::Pacers pacers_;
  relay::Admission admission_;
  async::IoThreads threads_;
  dataplane::dns::Resolver resolver_;
  std::unique_ptr<credentials::CredentialStore> credentials_;
  std::unique_ptr<Services> services_;
  std::vector<std::unique_ptr<TlsCore>> tls_;
  /// Without QUIC: null.
  std::unique_ptr<QuicCarrier> quic_;
  Checkpoint checkpoint_;
  async::Gate accepting_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  /// Of the next accepted connection.
  unsigned next_core_ = 0;

  std::once_flag stop_once_;
  std::atomic<std::int64_t> stop_at_{0};
  bool started_ = false;
  bool drained_ = false;
  bool left_behind_ = false;
  /// The one that was left behind before this one.
  Impl* earlier_ = nullptr;
};

Result<> Portal::Impl::load_credentials() {
  const bool files = config_.tls == config::TlsMode::pem_files;
  auto pair = files ? credentials::read_pair(config_.certificate_path, config_.key_path)
                    : credentials::make_self_signed(SystemClock::instance().now());
  if (!pair) return fail(pair.error());
  if (!files) {
    credentials_ = std::make_unique<credentials::CredentialStore>(std::move(*pair));
    return {};
  }
  credentials_ = std::make_unique<credentials::CredentialStore>(
      std::move(*pair),
      credentials::CredentialStore::Files{.certificate_path = config_.certificate_path,
                                          .key_path = config_.key_path,
                                          .interval = tuning_.reload_interval},
      std::chrono::steady_clock::now(), [this](const Result<>& outcome) { on_reload(outcome); },
      [this](const credentials::Pair& pair) { return check_pair(pair); });
  return {};
}

/// By the same measure as at the start, so that both carriers change together or neither does.
Result<> Portal::Impl::check_pair(const credentials::Pair& pair) const {
  Result<> usable = tls::ServerContext::check(pair);
  if (!usable || !config_.wants_udp()) return usable;
  const auto made = quic::ServerTls::from_pem(pair.certificates_pem, pair.key_pem);
  if (!made) return fail(made.error());
  return usable;
}

void Portal::Impl::on_reload(const Result<>& outcome) {
  if (outcome) {
    log_.write(log::Level::debug, "portal::credentials: certificate reloaded");
  } else {
    log_.write(log::Level::error,
               "portal::credentials: reload failed, the old pair stays: " + outcome.error().text());
  }
}

Result<> Portal::Impl::make_services() {
  auto spec = protocol::Spec::derive(config_.spec);
  if (!spec) return fail(spec.error());
  services_ = std::unique_ptr<Services>(new Services{
      .tuning = tuning_,
      .spec = std::move(*spec),
      .key = protocol::AuthKey(config_.key.reveal()),
      .alpn = config_.alpn,
      .log = log_,
      .credentials = *credentials_,
      .resolver = resolver_,
      .dialer = relay::Dialer(resolver_, dial_settings(config_, tuning_)),
      .counters = counters_,
      .pacers = pacers_,
      .admission = admission_,
      .request_window = options_.request_window,
  });
  for (unsigned i = 0; i < threads_.size(); ++i) {
    auto core = TlsCore::create(*services_, threads_.context(i), i);
    if (!core) return fail(core.error());
    tls_.push_back(std::move(*core));
  }
  return {};
}

Result<> Portal::Impl::bind() {
  const auto addresses = listen_addresses(config_.host, config_.port);
  if (!addresses) return fail(addresses.error());
  const Result<> limits = config::check_transport_limits(tuning_);
  if (!limits) return fail(limits.error());
  if (config_.wants_udp()) {
    auto carrier = QuicCarrier::bind(*services_, threads_, *addresses);
    if (!carrier) return fail(carrier.error());
    quic_ = std::move(*carrier);
  }
  if (config_.wants_tcp()) {
    auto sockets = bind_tcp(*addresses);
    if (!sockets) return fail(sockets.error());
    for (ListenSocket& socket : *sockets) {
      acceptors_.push_back(
          std::make_unique<Acceptor>(threads_.context(0), std::move(socket), *this, log_));
    }
  }
  return {};
}

Result<> Portal::Impl::start() {
  for (const auto step : {&Impl::load_credentials, &Impl::make_services, &Impl::bind}) {
    const Result<> done = (this->*step)();
    if (done) continue;
    release_sockets();
    return done;
  }
  // Nothing arrives before the threads run.
  const Result<> receiving = quic_ ? quic_->start() : Result<>{};
  if (!receiving) {
    release_sockets();
    return receiving;
  }
  log_.write(log::Level::info, config::start_line(config_));
  checkpoint_.start();
  for (const auto& acceptor : acceptors_) acceptor->start(accepting_);
  threads_.start();
  started_ = true;
  return {};
}

void Portal::Impl::release_sockets() {
  acceptors_.clear();
  quic_.reset();
}

std::vector<net::Endpoint> Portal::Impl::udp_endpoints() const {
  return quic_ ? quic_->endpoints() : std::vector<net::Endpoint>();
}

std::vector<net::Endpoint> Portal::Impl::tcp_endpoints() const {
  std::vector<net::Endpoint> endpoints;
  for (const auto& acceptor : acceptors_) endpoints.push_back(acceptor->local());
  return endpoints;
}

void Portal::Impl::on_accepted(net::UniqueFd socket, const net::Endpoint& peer) {
  auto slot = admission_.admit(peer.address());
  if (!slot) return record_refusal(*services_, "tls", peer);
  const unsigned index = next_core_;
  next_core_ = (next_core_ + 1) % threads_.size();
  TlsCore& core = *tls_[index];
  if (index == 0) return core.take(std::move(socket), peer, std::move(*slot));
  asio::post(threads_.context(index),
             [&core, peer, socket = std::move(socket), slot = std::move(*slot)]() mutable {
               core.take(std::move(socket), peer, std::move(slot));
             });
}

void Portal::Impl::request_stop() {
  std::call_once(stop_once_, [this] {
    const SteadyTime until =
        deadline_after(std::chrono::steady_clock::now(), tuning_.shutdown_timeout);
    stop_at_.store(until.time_since_epoch().count());
    if (!started_) return;
    for (unsigned i = 0; i < threads_.size(); ++i) {
      asio::post(threads_.context(i), [this, i] { stop_core(i); });
    }
  });
}

void Portal::Impl::stop_core(unsigned index) {
  if (index == 0) accepting_.request_stop();
  tls_[index]->request_stop();
  if (quic_) quic_->core(index).request_stop();
}

Task<bool> Portal::Impl::drain_core(unsigned index, SteadyTime until) {
  const SteadyTime ended_by = deadline_after(until, kUnwind);
  const auto left = [ended_by] { return ended_by - std::chrono::steady_clock::now(); };
  bool idle = true;
  if (index == 0) idle = co_await accepting_.drain(left());
  bool quiet = true;
  if (quic_) quiet = co_await quic_->core(index).drain(until, ended_by);
  const bool sessions = co_await tls_[index]->drain(left());
  co_return (idle && quiet && sessions);
}

bool Portal::Impl::drain_cores(SteadyTime until, SteadyTime last) {
  std::vector<std::future<bool>> cores;
  for (unsigned i = 0; i < threads_.size(); ++i) {
    cores.push_back(asio::co_spawn(threads_.context(i), drain_core(i, until), asio::use_future));
  }
  bool all = true;
  for (auto& core : cores) {
    // Its own clock ends it; this is for a thread that does not get there.
    const bool answered = core.wait_until(last) == std::future_status::ready;
    all = answered && core.get() && all;
  }
  return all;
}

bool Portal::Impl::quiet_first_core(SteadyTime last) {
  const auto quiet = asio::post(threads_.context(0), asio::use_future([this] {
                                  checkpoint_.stop();
                                  resolver_.stop();
                                  for (auto& acceptor : acceptors_) acceptor.reset();
                                }));
  return quiet.wait_until(last) == std::future_status::ready;
}

void Portal::Impl::leave_behind() {
  left_behind_ = true;
  threads_.halt();
  const bool ended = threads_.join_until(deadline_after(std::chrono::steady_clock::now(), kUnwind));
  if (!ended) threads_.leave_behind();
  log_.write(log::Level::warn, "portal::run: what did not end in time is left behind");
}

bool Portal::Impl::drain() {
  request_stop();
  if (!started_ || std::exchange(drained_, true)) return !left_behind_;
  const SteadyTime until{std::chrono::nanoseconds(stop_at_.load())};
  const SteadyTime last = deadline_after(until, 2 * kUnwind);
  const bool ended =
      drain_cores(until, last) && quiet_first_core(last) && threads_.join_until(last);
  if (!ended) leave_behind();
  pacers_.reset();
  log_.write(log::Level::info, "portal::run: portal shutdown complete");
  log_.flush();
  return ended;
}

void Portal::Impl::keep_if_running(std::unique_ptr<Impl> impl) {
  if (!impl->left_behind_) return;
  static std::atomic<Impl*> last{nullptr};
  Impl* const kept = impl.release();
  kept->earlier_ = last.exchange(kept);
}

Portal::Portal(config::PortalConfig config, const config::Tuning& tuning, log::Log& log,
               PortalOptions options)
    : impl_(std::make_unique<Impl>(std::move(config), tuning, log, std::move(options))) {}

Portal::~Portal() {
  Impl::keep_if_running(std::move(impl_));
}

Result<> Portal::start() {
  return impl_->start();
}

std::vector<net::Endpoint> Portal::tcp_endpoints() const {
  return impl_->tcp_endpoints();
}

std::vector<net::Endpoint> Portal::udp_endpoints() const {
  return impl_->udp_endpoints();
}

void Portal::request_stop() {
  impl_->request_stop();
}

bool Portal::drain() {
  return impl_->drain();
}

}  // namespace portunus::portal::server
