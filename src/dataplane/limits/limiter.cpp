#include "dataplane/limits/limiter.hpp"

#include <algorithm>
#include <array>
#include <atomic>

#include "dataplane/limits/token_bucket.hpp"

namespace portunus::dataplane::limits {
namespace {

constexpr std::uint64_t kLeastChunk = 8 * 1024;
constexpr std::uint64_t kMostChunk = 64 * 1024;

model::Reject reject_of(Limiter::Verdict verdict, bool owner, model::Protocol protocol) {
  if (verdict == Limiter::Verdict::concurrent) {
    return owner ? model::Reject::owner_concurrent : model::Reject::conn_concurrent;
  }
  if (protocol == model::Protocol::udp) {
    return owner ? model::Reject::owner_udp_flow_rate : model::Reject::udp_flow_rate;
  }
  return owner ? model::Reject::owner_conn_rate : model::Reject::conn_rate;
}

}  // namespace

struct Limiter::State {
  TokenBucket in, out, connections;
  /// Connections and flows admitted and not yet gone. Kept without any cap too, because a ceiling
  /// that is set later counts what already runs (RL-12).
  std::atomic<std::uint32_t> live{0};
  /// 0 = none.
  std::atomic<std::uint32_t> ceiling{0};
  std::array<std::atomic<std::uint64_t>, model::kRejects> rejects{};
  std::atomic<std::uint64_t> throttle_us_in{0}, throttle_us_out{0};

  TokenBucket& bucket(Direction direction) { return direction == Direction::in ? in : out; }
};

namespace {

template <class Rate, class Burst>
void set_bucket(TokenBucket& bucket, const std::optional<Rate>& rate,
                const std::optional<Burst>& burst, SteadyTime now) {
  // An envelope was judged before it came here; a zero is still no reason to divide by it.
  if (!rate || *rate == 0) return bucket.clear();
  bucket.set(*rate, std::max<std::uint64_t>(1, model::burst_of(burst, *rate)), now);
}

}  // namespace

Limiter::Limiter() : state_(std::make_unique<State>()) {}
Limiter::~Limiter() = default;

void Limiter::apply(const std::optional<model::RateLimit>& envelope, SteadyTime now) {
  const model::RateLimit caps = envelope.value_or(model::RateLimit{});
  set_bucket(state_->in, caps.bandwidth_in_bps, caps.bandwidth_in_burst, now);
  set_bucket(state_->out, caps.bandwidth_out_bps, caps.bandwidth_out_burst, now);
  set_bucket(state_->connections, caps.new_connections_per_sec, caps.new_connections_burst, now);
  state_->ceiling.store(caps.concurrent_connections.value_or(0), std::memory_order_relaxed);
}

Limiter::Verdict Limiter::enter(SteadyTime now) {
  if (state_->connections.take(1, now).count() > 0) return Verdict::rate;
  const std::uint32_t live = state_->live.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint32_t ceiling = state_->ceiling.load(std::memory_order_relaxed);
  if (ceiling == 0 || live <= ceiling) return Verdict::admitted;
  leave();
  return Verdict::concurrent;
}

void Limiter::leave() {
  state_->live.fetch_sub(1, std::memory_order_relaxed);
}

bool Limiter::shapes(Direction direction) const {
  return state_->bucket(direction).present();
}

std::uint64_t Limiter::burst(Direction direction) const {
  return state_->bucket(direction).burst();
}

std::uint64_t Limiter::rate(Direction direction) const {
  return state_->bucket(direction).rate();
}

std::chrono::microseconds Limiter::take(Direction direction, std::uint64_t bytes, SteadyTime now) {
  return state_->bucket(direction).take(bytes, now);
}

bool Limiter::take_datagram(Direction direction, std::uint64_t bytes, SteadyTime now) {
  return state_->bucket(direction).take_at_most_burst(bytes, now).count() == 0;
}

void Limiter::count_reject(model::Reject reason) {
  state_->rejects[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
}

void Limiter::count_throttle(Direction direction, std::chrono::microseconds asked_to_wait) {
  auto& sum = direction == Direction::in ? state_->throttle_us_in : state_->throttle_us_out;
  sum.fetch_add(static_cast<std::uint64_t>(asked_to_wait.count()), std::memory_order_relaxed);
}

model::LimitTraffic Limiter::traffic() const {
  model::LimitTraffic out;
  for (std::size_t i = 0; i < model::kRejects; ++i) {
    out.rejects[i] = state_->rejects[i].load(std::memory_order_relaxed);
  }
  out.throttle_us_in = state_->throttle_us_in.load(std::memory_order_relaxed);
  out.throttle_us_out = state_->throttle_us_out.load(std::memory_order_relaxed);
  out.active = state_->live.load(std::memory_order_relaxed);
  return out;
}

bool Limiter::capped() const {
  return shapes() || state_->connections.present() ||
         state_->ceiling.load(std::memory_order_relaxed) != 0;
}

std::optional<model::Reject> admit(Limiter* owner, Limiter& rule, model::Protocol protocol,
                                   SteadyTime now) {
  if (owner != nullptr) {
    const auto verdict = owner->enter(now);
    if (verdict != Limiter::Verdict::admitted) {
      const model::Reject reason = reject_of(verdict, true, protocol);
      owner->count_reject(reason);
      return reason;
    }
  }
  const auto verdict = rule.enter(now);
  if (verdict == Limiter::Verdict::admitted) return std::nullopt;
  if (owner != nullptr) owner->leave();
  const model::Reject reason = reject_of(verdict, false, protocol);
  rule.count_reject(reason);
  return reason;
}

void leave(Limiter* owner, Limiter& rule) {
  rule.leave();
  if (owner != nullptr) owner->leave();
}

std::size_t capped_chunk(const Limiter* owner, const Limiter& rule, Direction direction) {
  std::uint64_t chunk = kMostChunk;
  std::uint64_t burst = kMostChunk;
  const auto narrow = [&](const Limiter& layer) {
    const std::uint64_t rate = layer.rate(direction);
    if (rate == 0) return;
    chunk = std::min(chunk, rate / 10);
    burst = std::min(burst, layer.burst(direction));
  };
  narrow(rule);
  if (owner != nullptr) narrow(*owner);
  return static_cast<std::size_t>(std::min(std::max(chunk, kLeastChunk), burst));
}

}  // namespace portunus::dataplane::limits
