#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "common/async/task.hpp"

namespace portunus::async {

/// Runs `work` on `pool` and resumes the caller on its own executor with the result. `work` must
/// own what it touches. An exception of `work` is rethrown at the caller. The caller's io_context
/// must outlive the threads of `pool`: posting the result back still touches it when the caller may
/// have resumed already.
template <class Pool, std::invocable F>
auto run_on(Pool pool, F work) -> Task<std::invoke_result_t<F>> {
  using R = std::invoke_result_t<F>;
  static_assert(!std::is_void_v<R>, "return a Result<>");
  auto initiate = [pool, work = std::move(work)](auto handler) mutable {
    auto back = asio::get_associated_executor(handler);
    auto keep = asio::make_work_guard(back);
    asio::post(pool, [work = std::move(work), handler = std::move(handler), back,
                      keep = std::move(keep)]() mutable {
      std::exception_ptr error;
      std::optional<R> result;
      try {
        result.emplace(work());
      } catch (...) {
        error = std::current_exception();
      }
      asio::post(back, [handler = std::move(handler), error, result = std::move(result),
                        keep = std::move(keep)]() mutable {
        std::move(handler)(error, std::move(result));
      });
    });
  };
  auto result = co_await asio::async_initiate<decltype(asio::use_awaitable),
                                              void(std::exception_ptr, std::optional<R>)>(
      std::move(initiate), asio::use_awaitable);
  co_return std::move(*result);
}

}  // namespace portunus::async
