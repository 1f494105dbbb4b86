#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <initializer_list>

namespace portunus::async {

/// From here to the end of the process these signals change nothing, and interrupt nothing: for a
/// program that has begun to stop, or whose loop has ended. Ignored ones are dropped by the kernel,
/// while a caught one that is repeated quickly enough keeps a short sleep from ever ending.
inline void ignore_from_now_on(std::initializer_list<int> numbers) {
  // Holds the signals when the last other set is gone, which would give them their default action
  // again and let one kill a program that is about to exit with 0. So it is never destroyed.
  struct Holder {
    boost::asio::io_context io{1};
    boost::asio::signal_set signals{io};
  };
  static Holder& holder = *new Holder;
  for (const int number : numbers) {
    boost::system::error_code twice;
    holder.signals.add(number, twice);
    std::signal(number, SIG_IGN);
  }
}

}  // namespace portunus::async
