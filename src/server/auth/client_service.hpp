#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "server/auth/advertised_endpoint.hpp"
#include "server/auth/client_listener.hpp"
#include "server/auth/session_sink.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::auth {

/// What enroll-client and the enrollment routes answer. The URI holds the code: never log it.
struct IssuedEnrollment {
  std::string client_name;
  SystemTime expires_at;
  std::string uri;
  /// portunus-client enroll '<uri>'
  std::string command() const;
};

/// What redeeming a code yields: all fields of the credential bundle.
struct RedeemedBundle {
  std::string client_name;
  std::string client_id;
  std::string server_endpoint;
  std::string server_cert_sha256;
  std::string server_cert_pem;
  Secret token;
  bool rotated_existing = false;
};

/// A client with its live session, for lists and answers.
struct ClientView {
  store::ClientRow row;
  std::optional<LiveSession> session;
};

/// What stays the same for the life of the process.
struct EnrollmentMaterial {
  std::string certificate_pem;
  std::string fingerprint;  ///< 64 lower-case hex
};

/// Edges: enrollment codes, tokens, list, revoke, rename, delete (http-api 7, control-wire 4 and
/// 10). Lives on the domain executor; without a sink (commands on the store itself) no session is
/// live. Every method validates its input itself and answers with auth::Errc or a store error.
class ClientService {
 public:
  ClientService(store::Store& store, const Clock& clock, EnrollmentMaterial material,
                AdvertisedEndpoint endpoint);
  /// Wired by the composition root before the first request.
  void set_sink(SessionSink* sink) { sink_ = sink; }
  /// Wired by the composition root before the first request, once the port is bound.
  void set_control_port(std::uint16_t port) { endpoint_.set_control_port(port); }
  /// What the endpoint settings are about; lives as long as this.
  const AdvertisedEndpoint& endpoint() const { return endpoint_; }
  /// Told after each commit that names, renames or deletes a client, in the order added.
  void add_listener(ClientListener* listener) { listeners_.push_back(listener); }

  /// For a new client. Errors in the order of http-api 7.2.
  async::Task<Result<IssuedEnrollment>> enroll_new(std::string name,
                                                   std::optional<std::string> address,
                                                   std::int64_t ttl_secs,
                                                   std::optional<std::string> request_host);
  /// For an existing one, by id or name; revoked or not.
  async::Task<Result<IssuedEnrollment>> enroll_again(std::string client, std::int64_t ttl_secs,
                                                     std::optional<std::string> request_host);
  /// Consumes the code and writes the new token in one transaction, then ends the live session of
  /// a re-enrolled client with credential_rotated. Errors of control-wire 10.2 in their order.
  async::Task<Result<RedeemedBundle>> redeem(std::string code);

  /// The bearer of a control stream (control-wire 4), `authorization` as received: missing_token,
  /// malformed_token, token_not_found, token_revoked, or a store error. The caller registers the
  /// session before it awaits anything else: then a revocation either shows here or finds it.
  async::Task<Result<store::ClientRow>> authenticate(std::optional<std::string> authorization);

  /// Ascending by name.
  async::Task<Result<std::vector<ClientView>>> list();
  /// By exact name, else canonical ULID, else a grammatical name used literally (nothing found is
  /// then not an error); invalid_name, client_not_found for an unknown id (http-api 2).
  struct Resolved {
    std::string name;
    std::optional<store::ClientRow> row;
  };
  async::Task<Result<Resolved>> resolve(std::string client);
  /// Commits, then ends the live session with token_revoked. Unknown names succeed.
  async::Task<Result<>> revoke(std::string client);
  async::Task<Result<ClientView>> set_address(std::string client, std::string address);
  async::Task<Result<ClientView>> rename(std::string client, std::string name);
  /// client_not_revoked while active.
  async::Task<Result<>> remove(std::string client);

 private:
  /// A code to be issued, its input checked except for the client's existence.
  struct Draft {
    std::string client;
    std::optional<std::string> address;
    std::int64_t ttl_secs;
    std::optional<std::string> request_host;
    bool existing;
  };
  struct Redeemed;

  async::Task<Result<IssuedEnrollment>> issue(Draft draft);
  std::string enrollment_uri(std::string_view endpoint, const Secret& code) const;
  Result<Redeemed> redeem_in(store::Connection& connection, std::string_view code,
                             std::string_view new_id, std::string_view token_hash,
                             SystemTime now) const;
  ClientView view(store::ClientRow row) const;

  store::Store& store_;
  const Clock& clock_;
  EnrollmentMaterial material_;
  AdvertisedEndpoint endpoint_;
  /// Grows whenever a token stops being good, see authenticate().
  std::uint64_t token_epoch_ = 0;
  SessionSink* sink_ = nullptr;
  std::vector<ClientListener*> listeners_;
};

}  // namespace portunus::server::auth
