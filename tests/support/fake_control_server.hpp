#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/crypto/certificate.hpp"
#include "portunus/v1/control.pb.h"
#include "portunus/v1/enrollment.pb.h"

namespace portunus::test {

/// A control port that does what a script says, over real TLS and gRPC. Scripts run on gRPC's
/// threads and may block: read() and write() return false when the stream is gone.
class FakeControlServer {
 public:
  class Stream {
   public:
    using Rpc = grpc::ServerReaderWriter<v1::ServerMessage, v1::ClientMessage>;
    Stream(grpc::ServerContext& context, Rpc& rpc, int number)
        : context_(context), rpc_(rpc), number_(number) {}

    /// 1 for the first stream of this server object.
    int number() const { return number_; }
    std::string authorization() const;
    std::optional<v1::ClientMessage> read();
    bool write(const v1::ServerMessage& message) { return rpc_.Write(message); }
    /// Reads the Hello and welcomes it.
    v1::Hello welcome(const std::string& version = "3.1.0");
    bool push(const std::string& request_id, std::uint64_t rule, std::uint32_t port,
              const std::string& host = "10.0.0.1");
    bool remove(const std::string& request_id, std::uint64_t rule);
    bool replay_complete();
    /// The next status, whatever else comes before it.
    v1::RuleStatus status();
    /// The next report, whatever else comes before it.
    std::optional<v1::StatsReport> report();
    /// Takes everything until the client closes; true when it closed its side in order.
    void read_to_end();

   private:
    grpc::ServerContext& context_;
    Rpc& rpc_;
    int number_;
  };
  using Script = std::function<grpc::Status(Stream&)>;
  using Redeem = std::function<grpc::Status(const v1::EnrollClientRequest&, v1::CredentialBundle&)>;

  FakeControlServer(crypto::CertificatePair pair, Script script, Redeem redeem = {});
  ~FakeControlServer();
  FakeControlServer(const FakeControlServer&) = delete;
  FakeControlServer& operator=(const FakeControlServer&) = delete;

  std::uint16_t port() const;
  /// "127.0.0.1:<port>".
  std::string endpoint() const;
  const crypto::CertificatePair& pair() const;
  std::string pin() const;
  /// Streams opened so far.
  int streams() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A pair for tests; made once.
const crypto::CertificatePair& test_pair();

}  // namespace portunus::test
