#include "common/async/io_threads.hpp"

#include <pthread.h>
#include <sched.h>

#include <utility>

namespace portunus::async {

void name_this_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
}

IoThreads::IoThreads(std::string name, unsigned count) : name_(std::move(name)) {
  for (unsigned i = 0; i < count; ++i) {
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    work_.emplace_back(boost::asio::make_work_guard(*contexts_.back()));
  }
}

IoThreads::~IoThreads() {
  stop();
}

void IoThreads::start() {
  for (unsigned i = 0; i < size(); ++i) {
    std::promise<void> left;
    left_.push_back(left.get_future());
    threads_.emplace_back([this, i, left = std::move(left)]() mutable {
      name_this_thread(name_ + "-" + std::to_string(i));
      contexts_[i]->run();
      left.set_value();
    });
  }
}

void IoThreads::join() {
  work_.clear();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

bool IoThreads::join_until(std::chrono::steady_clock::time_point deadline) {
  work_.clear();
  for (const auto& left : left_) {
    if (left.wait_until(deadline) != std::future_status::ready) return false;
  }
  join();
  return true;
}

void IoThreads::halt() {
  for (auto& context : contexts_) context->stop();
}

void IoThreads::leave_behind() {
  for (auto& thread : threads_) thread.detach();
  threads_.clear();
}

void IoThreads::stop() {
  halt();
  join();
}

unsigned IoThreads::core_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? static_cast<unsigned>(count) : 1U;
}

}  // namespace portunus::async
