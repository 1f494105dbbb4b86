#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "portunus/v1/control.grpc.pb.h"
#include "portunus/v1/enrollment.grpc.pb.h"

namespace portunus::test {

/// A bare gRPC client of the control port, as any peer could be: it does only what a test says.
/// Every edge has a TCP connection of its own. One test thread; a thread of its own reads.
class FakeEdge {
 public:
  using Timeout = std::chrono::milliseconds;
  static constexpr Timeout kPatience{10'000};

  struct Options {
    std::string target;           ///< ip:port
    std::string certificate_pem;  ///< the only trusted one; it must name localhost
    std::optional<std::string> authorization;
    /// Extra gRPC channel arguments.
    std::vector<std::pair<std::string, int>> arguments = {};
    /// False: nothing is read from the stream before start_reading().
    bool reading = true;
  };
  explicit FakeEdge(Options options);
  ~FakeEdge();
  FakeEdge(const FakeEdge&) = delete;
  FakeEdge& operator=(const FakeEdge&) = delete;

  /// Opens Channel.
  void open();
  void start_reading();
  bool send(const v1::ClientMessage& message);
  /// Hello of a modern edge; an empty instance id is left out.
  bool hello(const std::string& instance_id = "01J00000000000000000000001");
  bool status(const std::string& request_id, std::uint64_t rule, v1::ActivationOutcome outcome,
              const std::string& reason = {});

  /// The next message; nothing once the stream has ended or when none comes in time.
  std::optional<v1::ServerMessage> next(Timeout patience = kPatience);
  /// Hello, then Welcome; true when it came.
  bool welcomed(const std::string& instance_id = "01J00000000000000000000001");
  /// The status the stream ended with; nothing when it does not end in time.
  std::optional<grpc::Status> ended(Timeout patience = kPatience);

  void half_close();
  /// RST_STREAM.
  void cancel();

  grpc::Status enroll(const std::string& code, v1::CredentialBundle& bundle);
  grpc::Channel& channel() { return *channel_; }

 private:
  void read_all();

  Options options_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<v1::Control::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ClientMessage, v1::ServerMessage>> stream_;
  std::thread reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool may_read_;
  std::deque<v1::ServerMessage> received_;
  std::optional<grpc::Status> status_;
};

}  // namespace portunus::test
