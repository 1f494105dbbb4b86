#include "common/name_lookup/name_lookup.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "common/async/io_threads.hpp"
#include "common/async/within.hpp"
#include "common/name_lookup/errc.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::name_lookup {
namespace {

namespace asio = boost::asio;

std::atomic<int> hanging{0};

/// Shared by who asks and the thread that asks for him, whichever is there longer.
struct Question {
  std::string host;
  std::string service;
  SystemResolver resolver;
  /// Readable once it is answered.
  net::UniqueFd bell;
  /// Set before the bell rings, and after what follows was written.
  std::atomic<bool> answered = false;
  int error = 0;
  std::vector<net::Endpoint> found = {};
};

void answer(const std::shared_ptr<Question>& question) {
  async::name_this_thread("name-lookup");
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  question->error =
      question->resolver(question->host.c_str(), question->service.c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, entry->ai_addrlen);
    if (const auto endpoint = net::Endpoint::from_sockaddr(storage)) {
      question->found.push_back(*endpoint);
    }
  }
  hanging.fetch_sub(1);
  question->answered.store(true, std::memory_order_release);
  ::eventfd_write(question->bell.get(), 1);
}

/// False when the system has no thread for it.
bool ask(const std::shared_ptr<Question>& question) {
  if (hanging.fetch_add(1) < kMostHangingLookups) {
    try {
      std::thread(answer, question).detach();
      return true;
    } catch (const std::system_error&) {
      // Falls through: the attempt fails, and the next one tries again.
    }
  }
  hanging.fetch_sub(1);
  return false;
}

async::Task<bool> ring(asio::posix::stream_descriptor& bell) {
  const auto [ec] =
      co_await bell.async_wait(asio::posix::descriptor_base::wait_read, async::kTuple);
  co_return !ec;
}

std::string text_of(const Question& question) {
  return question.error == 0 ? "no address" : ::gai_strerror(question.error);
}

}  // namespace

async::Task<Result<std::vector<net::Endpoint>>> look_up(std::string host, std::uint16_t port,
                                                        std::chrono::steady_clock::duration limit,
                                                        SystemResolver resolver) {
  if (const auto literal = net::IpAddress::parse(host)) {
    co_return std::vector{net::Endpoint(*literal, port)};
  }
  const auto question =
      std::make_shared<Question>(host, std::to_string(port), resolver,
                                 net::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  net::UniqueFd own(::fcntl(question->bell.get(), F_DUPFD_CLOEXEC, 0));
  if (!own) co_return fail({Errc::no_descriptors, "looking up " + host});
  asio::posix::stream_descriptor bell(co_await asio::this_coro::executor);
  boost::system::error_code refused;
  bell.assign(own.get(), refused);
  if (refused) co_return fail({Errc::no_descriptors, refused.message()});
  [[maybe_unused]] const int given_away = own.release();
  if (!ask(question)) co_return fail({Errc::failed, host + ": no thread for it"});
  co_await async::within(ring(bell), limit);
  if (!question->answered.load(std::memory_order_acquire)) {
    co_return fail({Errc::timed_out, "looking up " + host});
  }
  if (question->found.empty()) {
    co_return fail({Errc::failed, host + ": " + text_of(*question)});
  }
  co_return std::move(question->found);
}

}  // namespace portunus::name_lookup
