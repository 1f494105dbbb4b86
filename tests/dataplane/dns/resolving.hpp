#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "dataplane/dns/resolver.hpp"
#include "tests/support/test_io.hpp"

namespace portunus::dataplane::dns::test {

/// A resolver on a loop of the test's own. What its cache takes for the time is the test's.
class Resolving {
 public:
  using Result = std::shared_ptr<std::optional<Reply>>;

  explicit Resolving(ResolverOptions options) {
    options.clock = &clock;
    resolver.emplace(io.context(), std::move(options));
  }
  explicit Resolving(const std::string& servers) : Resolving(ResolverOptions{.servers = servers}) {}
  ~Resolving() {
    resolver->stop();
    io.poll();
  }

  Result begin(const std::string& name) {
    auto result = std::make_shared<std::optional<Reply>>();
    resolver->resolve(name, io.executor(), [result](Reply reply) {
      if (result->has_value()) throw std::logic_error("answered twice");
      result->emplace(std::move(reply));
    });
    return result;
  }
  Reply resolve(const std::string& name) {
    const auto result = begin(name);
    io.run_until([&] { return result->has_value(); }, std::chrono::seconds(60));
    return **result;
  }
  /// The addresses in IPv4-first order; for a failure its name.
  std::vector<std::string> addresses(const std::string& name) {
    const Reply reply = resolve(name);
    if (!reply) return {std::string(failure_name(reply.error().failure))};
    std::vector<std::string> out;
    for (const auto& address : dial_order(*reply->addresses, false)) out.push_back(address.text());
    return out;
  }

  portunus::test::TestIo io;
  ManualClock clock;
  std::optional<Resolver> resolver;
};

}  // namespace portunus::dataplane::dns::test
