#pragma once

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <initializer_list>

#include "common/async/task.hpp"

namespace portunus::async {

/// From here to the end of the process these signals, which `caught` has caught so far, change
/// nothing. For a program whose loop has ended: once the set is gone they would have their default
/// action again, and one that is repeated would kill a program that is about to exit with 0.
inline void ignore_from_now_on(asio::signal_set& caught, std::initializer_list<int> numbers) {
  for (const int number : numbers) {
    boost::system::error_code ignored;
    caught.remove(number, ignored);
    std::signal(number, SIG_IGN);
  }
}

}  // namespace portunus::async
