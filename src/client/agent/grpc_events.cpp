#include "client/agent/grpc_events.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/async/io_threads.hpp"

namespace portunus::client::agent {

GrpcEvents::GrpcEvents(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {
  thread_ = std::thread([this] { run(); });
}

GrpcEvents::~GrpcEvents() {
  queue_.Shutdown();
  thread_.join();
}

void GrpcEvents::run() {
  async::name_this_thread("grpc-events");
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    boost::asio::post(executor_,
                      [operation = static_cast<Operation*>(tag), ok] { operation->done(ok); });
  }
}

}  // namespace portunus::client::agent
