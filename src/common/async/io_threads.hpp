#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace portunus::async {

/// One io_context (concurrency hint 1) and one named thread per core. Owned by the composition
/// root, started once, joined last. Contexts are index 0..size()-1.
class IoThreads {
 public:
  /// Threads are named "<name>-<index>" (cut to the kernel's 15 characters).
  IoThreads(std::string name, unsigned count);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  void start();
  /// Lets every context run out of work, then joins. What still waits is abandoned by stop().
  void join();
  /// As join(), but gives up at `deadline`: false when a thread still runs, which a later call may
  /// wait for again.
  bool join_until(std::chrono::steady_clock::time_point deadline);
  /// Stops the contexts where they are: each thread ends behind the handler that it is in.
  void halt();
  /// Gives up the threads that still run, behind halt() and a join_until() that failed: what they
  /// use must never be destroyed.
  void leave_behind();
  /// halt(), then join().
  void stop();

  unsigned size() const { return static_cast<unsigned>(contexts_.size()); }
  boost::asio::io_context& context(unsigned index) { return *contexts_[index]; }

  /// The cores this process may run on.
  static unsigned core_count();

 private:
  using Work = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;
  std::string name_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<Work> work_;
  std::vector<std::thread> threads_;
  /// Ready when the thread of that index has left its context.
  std::vector<std::future<void>> left_;
};

/// Names the calling thread, cut to 15 characters.
void name_this_thread(const std::string& name);

}  // namespace portunus::async
