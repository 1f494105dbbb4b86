#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "server/auth/client_service.hpp"
#include "server/cli/local_store.hpp"

namespace portunus::server::cli {

/// The direct path of the dual commands: the client operations on the store itself, while no server
/// runs. Reads server.toml and the TLS pair as the server would. Blocks the caller.
class LocalClients {
 public:
  /// config_invalid, or what is wrong with the TLS files.
  static Result<LocalClients> open(LocalStore store, const Context& context,
                                   const Globals& globals);

  Result<auth::IssuedEnrollment> enroll(std::string name, std::optional<std::string> address,
                                        std::int64_t ttl_secs);
  Result<auth::IssuedEnrollment> reissue(std::string client, std::int64_t ttl_secs);
  Result<> revoke(std::string client);
  Result<auth::ClientView> rename(std::string client, std::string name);
  Result<std::vector<auth::ClientView>> list();

 private:
  LocalClients(LocalStore store, std::unique_ptr<auth::ClientService> service);
  template <class T>
  T finish(async::Task<T> task);

  /// Outlives the threads of the store, which post their results to it.
  std::unique_ptr<boost::asio::io_context> io_;
  LocalStore store_;
  std::unique_ptr<auth::ClientService> service_;
};

/// Prints a refusal of the domain as cli-and-config 2.5 has it and returns its exit code.
int report(std::ostream& err, const Error& error);

}  // namespace portunus::server::cli
