#include "server/auth/password_hasher.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <numeric>
#include <utility>

#include "common/async/executor_hop.hpp"
#include "common/base/scope_exit.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/password.hpp"

namespace portunus::server::auth {
namespace {

constexpr int kNice = 5;

/// On Linux this is the calling thread's alone. That it may fail costs latency, nothing else.
void yield_to_others() {
  (void)::setpriority(PRIO_PROCESS, 0, kNice);
}

}  // namespace

PasswordHasher::PasswordHasher(PasswordHasherOptions options)
    : options_(options), jobs_(options.threads, 0), threads_("password", options.threads) {
  for (unsigned i = 0; i < threads_.size(); ++i) {
    boost::asio::post(threads_.context(i), yield_to_others);
  }
  threads_.start();
}

template <class F>
auto PasswordHasher::run(F work) -> async::Task<std::invoke_result_t<F>> {
  if (std::accumulate(jobs_.begin(), jobs_.end(), 0U) >= options_.max_jobs) {
    co_return fail({Errc::password_queue_full, "1"});
  }
  const auto least = std::ranges::min_element(jobs_);
  const auto index = static_cast<unsigned>(least - jobs_.begin());
  ++jobs_[index];
  const ScopeExit done([this, index] { --jobs_[index]; });
  auto executor = threads_.context(index).get_executor();
  co_return co_await async::run_on(std::move(executor), std::move(work));
}

async::Task<Result<std::string>> PasswordHasher::hash(Secret password) {
  auto work = [password = std::move(password)] { return hash_password(password); };
  co_return co_await run(std::move(work));
}

async::Task<Result<std::string>> PasswordHasher::hash_new(Secret password) {
  if (const auto fit = check_password(password); !fit) co_return fail(fit.error());
  co_return co_await hash(std::move(password));
}

async::Task<Result<bool>> PasswordHasher::verify(std::optional<std::string> phc, Secret password) {
  const bool real = phc.has_value();
  auto work = [phc = std::move(phc).value_or(dummy_password_hash()),
               password = std::move(password)] { return verify_password(phc, password); };
  const Result<bool> matches = co_await run(std::move(work));
  if (!matches) co_return fail(matches.error());
  co_return real && *matches;
}

}  // namespace portunus::server::auth
