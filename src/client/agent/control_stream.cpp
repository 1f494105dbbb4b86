#include "client/agent/control_stream.hpp"

#include <grpcpp/client_context.h>
#include <grpcpp/support/async_stream.h>

#include <deque>
#include <utility>

#include "portunus/v1/control.grpc.pb.h"

namespace portunus::client::agent {
namespace {

/// Beyond this a server takes nothing while it makes us answer: the session is given up.
constexpr std::size_t kMaxQueued = 16'384;

class Call final : public ControlStream {
 public:
  Call(GrpcEvents& events, const std::shared_ptr<grpc::Channel>& channel, Inbox<StreamEvent>& inbox)
      : stub_(v1::Control::NewStub(channel)), inbox_(inbox), events_(events) {}

  void start(const Secret& token, const v1::ClientMessage& hello) {
    self_ = std::static_pointer_cast<Call>(shared_from_this());
    context_.AddMetadata("authorization", "Bearer " + token.reveal());
    queue_.push_back({hello, 0});
    rpc_ = stub_->PrepareAsyncChannel(&context_, &events_.queue());
    begin(start_);
    rpc_->StartCall(&start_);
  }

  void read_on() override {
    if (over_) return;
    begin(read_);
    rpc_->Read(&incoming_, &read_);
  }

  bool send(v1::ClientMessage message, std::uint64_t report) override {
    if (over_ || finishing_ || queue_.size() >= kMaxQueued) return false;
    queue_.push_back({std::move(message), report});
    write_next();
    return true;
  }

  void finish() override {
    finishing_ = true;
    write_next();
  }

  void cancel() override { context_.TryCancel(); }

 private:
  struct Outgoing {
    v1::ClientMessage message;
    std::uint64_t report;
  };
  /// An operation of gRPC that ends in a member of the call.
  struct Operation final : GrpcEvents::Operation {
    Operation(Call& owner, void (Call::*end)(bool)) : call(owner), on_end(end) {}
    void done(bool ok) override {
      const auto keep = call.self_;
      running = false;
      (call.*on_end)(ok);
      call.close_if_quiet();
    }
    Call& call;
    void (Call::*on_end)(bool);
    bool running = false;
  };

  static void begin(Operation& operation) { operation.running = true; }

  void started(bool ok) {
    if (!ok) return end();
    up_ = true;
    read_on();
    write_next();
  }

  void message_read(bool ok) {
    if (!ok) return end();
    inbox_.push(MessageArrived{std::move(incoming_)});
    incoming_.Clear();
  }

  void write_next() {
    if (!up_ || over_ || write_.running || closed_our_side_) return;
    if (!queue_.empty()) {
      begin(write_);
      rpc_->Write(queue_.front().message, &write_);
    } else if (finishing_) {
      closed_our_side_ = true;
      begin(write_);
      rpc_->WritesDone(&write_);
    }
  }

  void written(bool ok) {
    if (closed_our_side_) return;
    const std::uint64_t report = queue_.front().report;
    queue_.pop_front();
    if (report != 0) inbox_.push(ReportWritten{report, ok});
    // A failed write means that the call is over; the read tells.
    if (ok) write_next();
  }

  /// No more messages will come: ask how it ended.
  void end() {
    over_ = true;
    begin(finish_);
    rpc_->Finish(&status_, &finish_);
  }

  void finished(bool) { finished_ = true; }

  void close_if_quiet() {
    if (!finished_ || !self_ || start_.running || read_.running || write_.running) return;
    inbox_.push(StreamClosed{status_});
    self_.reset();
  }

  std::unique_ptr<v1::Control::Stub> stub_;
  Inbox<StreamEvent>& inbox_;
  GrpcEvents& events_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::ClientMessage, v1::ServerMessage>> rpc_;
  Operation start_{*this, &Call::started};
  Operation read_{*this, &Call::message_read};
  Operation write_{*this, &Call::written};
  Operation finish_{*this, &Call::finished};
  v1::ServerMessage incoming_;
  std::deque<Outgoing> queue_;
  grpc::Status status_;
  bool up_ = false;               ///< our headers are out
  bool over_ = false;             ///< nothing more will be read
  bool finishing_ = false;        ///< our side is to be closed
  bool closed_our_side_ = false;  ///< and is being
  bool finished_ = false;         ///< the status is known
  std::shared_ptr<Call> self_;
};

}  // namespace

std::shared_ptr<ControlStream> ControlStream::open(GrpcEvents& events,
                                                   const std::shared_ptr<grpc::Channel>& channel,
                                                   const Secret& token,
                                                   const v1::ClientMessage& hello,
                                                   Inbox<StreamEvent>& inbox) {
  auto call = std::make_shared<Call>(events, channel, inbox);
  call->start(token, hello);
  return call;
}

}  // namespace portunus::client::agent
