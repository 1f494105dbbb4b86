#pragma once

#include <grpcpp/completion_queue.h>

#include <boost/asio/any_io_executor.hpp>
#include <thread>

namespace portunus::client::agent {

/// Brings the ends of gRPC operations to an executor. Owns a completion queue and the one thread
/// that waits on it, which does nothing but post.
///
/// A queue of our own, because gRPC 1.51 serves its callback interface from a shared one that it
/// tears down with the last channel, which here is after every session: that races with its own
/// threads, up to an abort, and those threads sleep for 100 ms at a time.
///
/// Made and destroyed on the executor's thread; every operation must have ended before.
class GrpcEvents {
 public:
  /// What an operation was started with. done() runs on the executor.
  class Operation {
   public:
    virtual void done(bool ok) = 0;

   protected:
    ~Operation() = default;
  };

  explicit GrpcEvents(boost::asio::any_io_executor executor);
  ~GrpcEvents();
  GrpcEvents(const GrpcEvents&) = delete;
  GrpcEvents& operator=(const GrpcEvents&) = delete;

  const boost::asio::any_io_executor& executor() const { return executor_; }
  /// For starting operations; the tag of each is an Operation*.
  grpc::CompletionQueue& queue() { return queue_; }

 private:
  void run();

  boost::asio::any_io_executor executor_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

}  // namespace portunus::client::agent
