#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portunus::async {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

/// The completion token of every awaited Asio call: errors come back as values.
inline constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace portunus::async
