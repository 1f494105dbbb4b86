#include "portal/quic/stream.hpp"

#include <algorithm>
#include <utility>

#include "portal/protocol/bytes.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/stream_core.hpp"
#include "portal/relay/errc.hpp"

namespace portunus::portal::quic {
namespace {

std::span<std::uint8_t> octets(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

Stream::Stream(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}

Stream::~Stream() {
  if (core_->connection == nullptr) return;
  if (!core_->fin_received) stop_reading();
  drop_unread();
  if (!core_->fin_wanted) core_->connection->reset_stream(*core_);
  core_->connection->release_stream(*core_);
}

std::int64_t Stream::id() const {
  return core_->id;
}

async::Task<void> Stream::given_up() {
  const std::shared_ptr<StreamCore> core = core_;
  while (!core->given_up()) {
    const bool go_on = co_await core->peer_acted.wait();
    if (!go_on) co_return;
  }
}

async::Task<void> Stream::readable() {
  const StreamCore& core = *core_;
  while (core.in.empty() && !core.read_error && !core.fin_received) {
    const bool go_on = co_await core_->readable.wait();
    if (!go_on) co_return;
  }
}

async::Task<Result<std::size_t>> Stream::read_some(std::span<std::byte> into) {
  StreamCore& core = *core_;
  if (into.empty()) co_return std::size_t{0};
  while (core.in.empty()) {
    if (core.read_error) co_return std::unexpected(*core.read_error);
    if (core.fin_received) co_return std::size_t{0};
    const bool go_on = co_await core.readable.wait();
    if (!go_on) co_return fail(relay::Errc::aborted);
  }
  const std::size_t taken = core.in.take(octets(into));
  if (core.connection != nullptr) core.connection->consumed(core, taken);
  co_return taken;
}

async::Task<Result<>> Stream::write_all(std::span<const std::byte> bytes) {
  StreamCore& core = *core_;
  std::span<const std::uint8_t> rest = protocol::octets(bytes);
  for (;;) {
    if (core.write_error) co_return std::unexpected(*core.write_error);
    if (core.fin_wanted) co_return fail(relay::Errc::aborted);
    if (rest.empty()) co_return Result<>();
    const std::size_t room = core.connection->room_for(core);
    if (room > 0) {
      const auto part = rest.first(std::min(room, rest.size()));
      if (!core.connection->append(core, part)) co_return fail(Errc::out_of_memory);
      rest = rest.subspan(part.size());
      continue;
    }
    const bool go_on = co_await core.writable.wait();
    if (!go_on) co_return fail(relay::Errc::aborted);
  }
}

async::Task<Result<>> Stream::finish() {
  finish_now();
  if (core_->write_error) co_return std::unexpected(*core_->write_error);
  co_return Result<>();
}

void Stream::finish_now() {
  if (core_->fin_wanted || core_->write_error) return;
  core_->fin_wanted = true;
  if (core_->connection != nullptr) core_->connection->want_to_send(*core_);
}

void Stream::stop_reading() {
  if (core_->connection == nullptr || core_->reading_stopped || core_->fin_received) return;
  core_->connection->stop_stream(*core_);
  drop_unread();
}

void Stream::drop_unread() {
  const std::size_t unread = core_->in.size();
  core_->in.clear();
  if (core_->connection != nullptr && unread > 0) core_->connection->consumed(*core_, unread);
}

void Stream::abort() noexcept {
  const Error aborted(relay::Errc::aborted);
  if (core_->connection != nullptr) {
    stop_reading();
    core_->connection->reset_stream(*core_);
  }
  drop_unread();
  core_->read_error = aborted;
  core_->write_error = aborted;
  core_->readable.notify();
  core_->writable.notify();
}

std::optional<net::Endpoint> Stream::peer_endpoint() const {
  if (core_->connection == nullptr) return std::nullopt;
  return core_->connection->remote_endpoint();
}

std::optional<net::Endpoint> Stream::local_endpoint() const {
  if (core_->connection == nullptr) return std::nullopt;
  return core_->connection->local_endpoint();
}

}  // namespace portunus::portal::quic
