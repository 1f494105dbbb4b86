#include "dataplane/dns/resolver.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "dataplane/dns/ares_lookup.hpp"
#include "dataplane/dns/dns_cache.hpp"

namespace portunus::dataplane::dns {
namespace {

namespace asio = boost::asio;

LookupError stopped_error() {
  return {Failure::other, "the resolver has stopped"};
}

void reply_by_post(const asio::any_io_executor& reply_to, Resolver::Handler handler, Reply reply) {
  asio::post(reply_to, [handler = std::move(handler), reply = std::move(reply)]() mutable {
    handler(std::move(reply));
  });
}

}  // namespace

/// Owns the cache, the lookups under way and those who wait for them; all on the home thread, but
/// for the two counters with which stop() meets resolve().
class Resolver::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& home, ResolverOptions options)
      : home_(home),
        options_(std::move(options)),
        work_(home.get_executor()),
        cache_(options_.limits),
        overdue_(home) {}

  void resolve(std::string name, asio::any_io_executor reply_to, Handler handler, Asker asker);
  void stop();

 private:
  /// Keeps the asking context running until it has its reply.
  struct Pending {
    asio::executor_work_guard<asio::any_io_executor> reply_to;
    Handler handler;
  };

  SteadyTime now() const { return options_.clock->steady_now(); }
  void ask(const std::string& name, Pending pending, Asker asker);
  void perform(DnsCache::Actions actions);
  void start_lookup(DnsCache::Start start);
  void watch_overdue();
  void leave_home();

  asio::io_context& home_;
  const ResolverOptions options_;
  std::atomic<bool> stopped_{false};
  /// Questions on their way to the home thread. A stopped resolver waits for them, so that each is
  /// answered.
  std::atomic<std::uint32_t> arriving_{0};

  asio::executor_work_guard<asio::io_context::executor_type> work_;
  DnsCache cache_;
  std::uint64_t last_waiter_ = 0;
  std::unordered_map<DnsCache::WaiterId, Pending> pending_;
  std::unordered_map<DnsCache::LookupId, std::shared_ptr<AresLookup>> lookups_;
  asio::steady_timer overdue_;
  bool watching_ = false;
};

void Resolver::Impl::resolve(std::string name, asio::any_io_executor reply_to, Handler handler,
                             Asker asker) {
  arriving_.fetch_add(1);
  if (stopped_.load()) {
    arriving_.fetch_sub(1);
    return reply_by_post(reply_to, std::move(handler), std::unexpected(stopped_error()));
  }
  Pending pending{asio::make_work_guard(reply_to), std::move(handler)};
  asio::post(home_, [self = shared_from_this(), name = std::move(name),
                     pending = std::move(pending), asker]() mutable {
    self->arriving_.fetch_sub(1);
    self->ask(name, std::move(pending), asker);
  });
}

void Resolver::Impl::ask(const std::string& name, Pending pending, Asker asker) {
  if (stopped_.load()) {
    return reply_by_post(pending.reply_to.get_executor(), std::move(pending.handler),
                         std::unexpected(stopped_error()));
  }
  const auto waiter = static_cast<DnsCache::WaiterId>(++last_waiter_);
  pending_.emplace(waiter, std::move(pending));
  perform(cache_.ask(name, waiter, now(), asker));
}

void Resolver::Impl::perform(DnsCache::Actions actions) {
  for (auto& [waiter, reply] : actions.deliver) {
    auto node = pending_.extract(waiter);
    Pending& pending = node.mapped();
    reply_by_post(pending.reply_to.get_executor(), std::move(pending.handler), std::move(reply));
  }
  for (const auto id : actions.abandon) {
    auto node = lookups_.extract(id);
    node.mapped()->close();
  }
  for (auto& start : actions.start) start_lookup(std::move(start));
}

void Resolver::Impl::start_lookup(DnsCache::Start start) {
  auto done = [self = shared_from_this(), id = start.lookup](LookupOutcome outcome) {
    self->lookups_.erase(id);
    self->perform(self->cache_.finish(id, std::move(outcome), self->now()));
  };
  const auto lookup = std::make_shared<AresLookup>(home_, std::move(done));
  lookups_.emplace(start.lookup, lookup);
  lookup->start(start.name, options_);
  watch_overdue();
}

void Resolver::Impl::watch_overdue() {
  const auto next = cache_.next_tick();
  if (watching_ || !next) return;
  watching_ = true;
  overdue_.expires_after(*next - now());
  overdue_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    self->watching_ = false;
    if (ec) return;
    self->perform(self->cache_.tick(self->now()));
    self->watch_overdue();
  });
}

void Resolver::Impl::stop() {
  if (stopped_.exchange(true)) return;
  overdue_.cancel();
  perform(cache_.abort(stopped_error()));
  leave_home();
}

/// A question counted before it saw the flag is in the home queue within moments.
void Resolver::Impl::leave_home() {
  if (arriving_.load() == 0) return work_.reset();
  asio::post(home_, [self = shared_from_this()] { self->leave_home(); });
}

Resolver::Resolver(asio::io_context& home, ResolverOptions options)
    : impl_(std::make_shared<Impl>(home, std::move(options))) {}

Resolver::~Resolver() = default;

void Resolver::resolve(std::string name, asio::any_io_executor reply_to, Handler handler,
                       Asker asker) {
  impl_->resolve(std::move(name), std::move(reply_to), std::move(handler), asker);
}

void Resolver::stop() {
  impl_->stop();
}

}  // namespace portunus::dataplane::dns
