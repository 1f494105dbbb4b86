#include "bench/control/swarm_enroll.hpp"

#include <grpcpp/client_context.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "portunus/v1/enrollment.grpc.pb.h"

namespace portunus::bench {
namespace {

std::string redeem(const ServerAddress& server, const std::string& code) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  context.set_wait_for_ready(true);
  v1::EnrollClientRequest request;
  request.set_code(code);
  v1::CredentialBundle bundle;
  const auto stub = v1::ClientEnrollment::NewStub(open_channel(server));
  const grpc::Status status = stub->Enroll(&context, request, &bundle);
  if (status.ok()) return bundle.token();
  std::fprintf(stderr, "enroll: %d %s\n", static_cast<int>(status.error_code()),
               status.error_message().c_str());
  return {};
}

}  // namespace

std::vector<std::string> enroll(const ServerAddress& server, const std::vector<std::string>& codes,
                                unsigned at_once) {
  std::vector<std::string> tokens(codes.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> callers;
  for (unsigned i = 0; i < at_once; ++i) {
    callers.emplace_back([&] {
      for (std::size_t at = next++; at < codes.size(); at = next++) {
        tokens[at] = redeem(server, codes[at]);
      }
    });
  }
  callers.clear();
  return tokens;
}

}  // namespace portunus::bench
