#include "portal/client/uot_flow.hpp"

#include <boost/asio/this_coro.hpp>
#include <optional>
#include <utility>

#include "common/base/clock.hpp"
#include "portal/client/abort_at.hpp"
#include "portal/client/errc.hpp"
#include "portal/protocol/uot.hpp"
#include "portal/relay/errc.hpp"

namespace portunus::portal::client {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadBytes = 64 * 1024;

Error lost(const Error& error) {
  // Nobody but this side aborts a stream.
  if (error.code == make_error_code(relay::Errc::aborted)) return Errc::stopped;
  return Error(Errc::connection_lost, error.text());
}

}  // namespace

struct UotFlow::State {
  State(asio::any_io_executor on, std::unique_ptr<relay::ByteStream> what, UdpReceiver& to)
      : executor(on),
        stream(std::move(what)),
        receiver(&to),
        wake(on, asio::steady_timer::time_point::max()),
        ended(on, asio::steady_timer::time_point::max()) {}

  void wake_writer() {
    if (!waiting) return;
    waiting = false;
    wake.cancel();
  }
  /// Ends all three coroutines.
  void end() {
    if (std::exchange(over, true)) return;
    stream->abort();
    wake_writer();
    ended.cancel();
    bound.reset();
  }
  void broken(const Error& why) {
    end();
    if (UdpReceiver* told = std::exchange(receiver, nullptr)) told->on_closed(why);
  }

  asio::any_io_executor executor;
  std::unique_ptr<relay::ByteStream> stream;
  UdpReceiver* receiver;  ///< null once the flow is gone or has told it of its end
  asio::steady_timer wake;
  asio::steady_timer ended;
  /// The writer waits for `wake`.
  bool waiting = false;
  bool closing = false;
  bool over = false;
  std::vector<std::byte> queued;
  std::vector<std::byte> leaving;
  /// Once `closing`; of `stream`, and so gone before it.
  std::optional<AbortAt> bound;
};

UotFlow::UotFlow(asio::any_io_executor executor, async::Gate& gate,
                 std::unique_ptr<relay::ByteStream> stream, UdpReceiver& receiver)
    : state_(std::make_shared<State>(std::move(executor), std::move(stream), receiver)) {
  gate.spawn(read_loop(state_));
  gate.spawn(write_loop(state_));
  gate.spawn(stop_with_gate(state_));
}

UotFlow::~UotFlow() {
  state_->receiver = nullptr;
  state_->closing = true;
  // Here and not in the writer, which may be held up by a Portal that does not read.
  if (!state_->over) {
    state_->bound.emplace(state_->executor, *state_->stream,
                          SystemClock::instance().steady_now() + kClosing);
  }
  state_->wake_writer();
}

bool UotFlow::send(std::span<const std::uint8_t> payload) {
  State& state = *state_;
  const std::size_t size = protocol::kUotLengthSize + payload.size();
  if (state.over || payload.size() > protocol::kMaxUotPacket ||
      state.queued.size() + size > kMostQueued) {
    return false;
  }
  const auto length = protocol::uot_length(payload.size());
  const auto prefix = std::as_bytes(std::span(length));
  const auto bytes = std::as_bytes(payload);
  state.queued.insert(state.queued.end(), prefix.begin(), prefix.end());
  state.queued.insert(state.queued.end(), bytes.begin(), bytes.end());
  state.wake_writer();
  return true;
}

async::Task<> UotFlow::write_loop(std::shared_ptr<State> state) {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!state->over) {
    if (!state->queued.empty()) {
      state->leaving.clear();
      std::swap(state->queued, state->leaving);
      const Result<> sent = co_await state->stream->write_all(state->leaving);
      if (!sent) state->broken(lost(sent.error()));
    } else if (state->closing) {
      co_await state->stream->finish();
      break;
    } else {
      state->waiting = true;
      co_await state->wake.async_wait(async::kTuple);
      state->waiting = false;
    }
  }
  state->end();
}

async::Task<> UotFlow::stop_with_gate(std::shared_ptr<State> state) {
  co_await asio::this_coro::throw_if_cancelled(false);
  // A stream's operations hear of a cancellation only as an abort.
  if (!state->over) co_await state->ended.async_wait(async::kTuple);
  if (!state->over) state->broken(Errc::stopped);
}

async::Task<> UotFlow::read_loop(std::shared_ptr<State> state) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::vector<std::byte> buffer(kReadBytes);
  protocol::UotReader reader;
  while (!state->over) {
    const Result<std::size_t> got = co_await state->stream->read_some(buffer);
    if (!got || *got == 0) {
      if (!state->over) state->broken(got ? Error(Errc::connection_lost) : lost(got.error()));
      break;
    }
    protocol::Bytes rest = protocol::octets(std::span(buffer).first(*got));
    while (!rest.empty()) {
      const protocol::UotReader::Step step = reader.feed(rest);
      rest = rest.subspan(step.consumed);
      if (step.packet && state->receiver != nullptr) state->receiver->on_packet(*step.packet);
    }
  }
}

}  // namespace portunus::portal::client
