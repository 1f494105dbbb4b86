#include <charconv>
#include <utility>

#include "common/base/hex.hpp"
#include "common/base/rfc3339.hpp"
#include "common/base/ulid.hpp"
#include "common/crypto/digest.hpp"
#include "common/crypto/random.hpp"
#include "common/log/logger.hpp"
#include "common/model/names.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/errc.hpp"
#include "server/auth/token_match.hpp"
#include "server/store/client_store.hpp"
#include "server/store/enrollment_store.hpp"
#include "server/store/settings_store.hpp"

// Enrollment codes: issuing and redeeming (http-api 7.2, control-wire 10).

namespace portunus::server::auth {
namespace {

constexpr std::int64_t kMaxTtlSecs = 86'400;
constexpr std::size_t kMaxCodeBytes = 256;

bool ttl_in_range(std::int64_t secs) {
  return secs >= 1 && secs <= kMaxTtlSecs;
}

Result<std::string> name_for_new(store::Connection& connection, const std::string& name) {
  const auto taken = store::find_client_by_name(connection, name);
  if (!taken) return fail(taken.error());
  if (*taken) return fail({Errc::client_already_exists, name});
  return name;
}

Result<std::string> name_of_existing(store::Connection& connection, const std::string& key) {
  const auto client = store::resolve_client(connection, key);
  if (!client) return fail(client.error());
  if (!client->row) return fail({Errc::client_not_found, key});
  return client->row->name;
}

/// The endpoint as the tiers have it now, the stored override first.
Result<std::string> endpoint_in(store::Connection& connection, const AdvertisedEndpoint& advertised,
                                std::optional<std::string_view> request_host) {
  const auto stored = store::advertised_override(connection);
  if (!stored) return fail(stored.error());
  Result<ResolvedEndpoint> resolved = advertised.resolve(*stored, request_host);
  if (!resolved) return fail(resolved.error());
  return std::move(resolved->endpoint);
}

/// Stores the row, whose name is still the caller's key, and completes it with the client's name.
Result<store::EnrollmentRow> store_code(store::Connection& connection, store::EnrollmentRow row,
                                        bool existing) {
  Result<std::string> name = existing ? name_of_existing(connection, row.client_name)
                                      : name_for_new(connection, row.client_name);
  if (!name) return fail(name.error());
  row.client_name = std::move(*name);
  const auto stored = store::insert_enrollment(connection, row);
  if (!stored) return fail(stored.error());
  return row;
}

}  // namespace

struct ClientService::Redeemed {
  std::string client_name;
  std::string client_id;
  std::string endpoint;
  bool existing = false;
};

std::string IssuedEnrollment::command() const {
  return "portunus-client enroll '" + uri + "'";
}

std::string ClientService::enrollment_uri(std::string_view endpoint, const Secret& code) const {
  return "portunus://" + std::string(endpoint) + "/enroll?pin=sha256:" + material_.fingerprint +
         "&code=" + code.reveal() +
         "&cert=" + base64url_encode(as_bytes(material_.certificate_pem));
}

async::Task<Result<IssuedEnrollment>> ClientService::enroll_new(
    std::string name, std::optional<std::string> address, std::int64_t ttl_secs,
    std::optional<std::string> request_host) {
  if (!model::is_client_name(name)) co_return fail({Errc::invalid_name, "\"" + name + "\""});
  if (!ttl_in_range(ttl_secs)) co_return fail({Errc::invalid_enrollment_ttl, "expected 1..86400"});
  if (address) {
    auto canonical = model::parse_client_address(*address);
    if (!canonical) co_return fail({Errc::invalid_client_address, *address});
    address = std::move(canonical);
  }
  Draft draft{std::move(name), std::move(address), ttl_secs, std::move(request_host), false};
  co_return co_await issue(std::move(draft));
}

async::Task<Result<IssuedEnrollment>> ClientService::enroll_again(
    std::string client, std::int64_t ttl_secs, std::optional<std::string> request_host) {
  if (!model::is_client_name(client) && !is_ulid(client)) {
    co_return fail({Errc::invalid_name, "\"" + client + "\""});
  }
  if (!ttl_in_range(ttl_secs)) co_return fail({Errc::invalid_enrollment_ttl, "expected 1..86400"});
  Draft draft{std::move(client), std::nullopt, ttl_secs, std::move(request_host), true};
  co_return co_await issue(std::move(draft));
}

async::Task<Result<IssuedEnrollment>> ClientService::issue(Draft draft) {
  const Secret code = crypto::random_token();
  const SystemTime now = clock_.now();
  store::EnrollmentRow row{.id = 0,
                           .client_name = std::move(draft.client),
                           .address = std::move(draft.address),
                           .code_hash = crypto::sha256_hex(code.reveal()),
                           .created_at = now,
                           .expires_at = now + std::chrono::seconds(draft.ttl_secs),
                           .consumed_at = std::nullopt,
                           .endpoint = std::nullopt};
  auto change =
      [this, row = std::move(row), host = std::move(draft.request_host),
       existing = draft.existing](store::Connection& connection) -> Result<store::EnrollmentRow> {
    Result<std::string> endpoint = endpoint_in(connection, endpoint_, host);
    if (!endpoint) return fail(endpoint.error());
    store::EnrollmentRow frozen = row;
    frozen.endpoint = std::move(*endpoint);
    return store_code(connection, std::move(frozen), existing);
  };
  const Result<store::EnrollmentRow> issued = co_await store_.write(std::move(change));
  if (!issued) co_return fail(issued.error());
  log::log(
      draft.existing ? log::Event::audit_reenrollment_created
                     : log::Event::audit_enrollment_created,
      {{"client_name", issued->client_name}, {"expires_at", format_rfc3339(issued->expires_at)}});
  co_return IssuedEnrollment{issued->client_name, issued->expires_at,
                             enrollment_uri(*issued->endpoint, code)};
}

Result<ClientService::Redeemed> ClientService::redeem_in(store::Connection& connection,
                                                         std::string_view code,
                                                         std::string_view new_id,
                                                         std::string_view token_hash,
                                                         SystemTime now) const {
  TokenMatch match(code);
  const auto scanned = store::scan_enrollment_hashes(connection, match.visitor());
  if (!scanned) return fail(scanned.error());
  if (match.id().empty()) return fail(Errc::enrollment_invalid);
  std::int64_t id = 0;
  std::from_chars(match.id().data(), match.id().data() + match.id().size(), id);
  const auto found = store::find_enrollment(connection, id);
  if (!found) return fail(found.error());
  if (!*found) return fail(Errc::enrollment_invalid);
  const store::EnrollmentRow& row = **found;
  if (row.consumed_at) return fail(Errc::enrollment_used);
  if (row.expires_at <= now) return fail(Errc::enrollment_expired);
  const Result<std::string> endpoint = row.endpoint
                                           ? Result<std::string>(*row.endpoint)
                                           : endpoint_in(connection, endpoint_, std::nullopt);
  if (!endpoint) return fail(endpoint.error());

  const auto client = store::find_client_by_name(connection, row.client_name);
  if (!client) return fail(client.error());
  Redeemed out{row.client_name, std::string(new_id), *endpoint, client->has_value()};
  if (*client) {
    out.client_id = (*client)->client_id;
    const auto rotated = store::rotate_client_token(connection, out.client_id, token_hash, now);
    if (!rotated) return fail(rotated.error());
  } else {
    const auto inserted = store::insert_client(connection, {.client_id = out.client_id,
                                                            .name = out.client_name,
                                                            .token_hash = std::string(token_hash),
                                                            .provisioned_at = now,
                                                            .revoked_at = std::nullopt,
                                                            .address = row.address});
    if (!inserted) return fail(inserted.error());
  }
  const auto consumed = store::consume_enrollment(connection, row.id, now);
  if (!consumed) return fail(consumed.error());
  return out;
}

async::Task<Result<RedeemedBundle>> ClientService::redeem(std::string code) {
  if (code.empty() || code.size() > kMaxCodeBytes) co_return fail(Errc::enrollment_invalid);
  const Secret token = crypto::random_token();
  auto change = [this, code = Secret(std::move(code)), id = make_ulid(clock_),
                 hash = crypto::sha256_hex(token.reveal()),
                 now = clock_.now()](store::Connection& connection) {
    return redeem_in(connection, code.reveal(), id, hash, now);
  };
  const Result<Redeemed> done = co_await store_.write(std::move(change));
  if (!done) {
    // A wrong or stale code is the caller's fault and is told to the caller alone.
    if (done.error() != Errc::enrollment_invalid && done.error() != Errc::enrollment_used &&
        done.error() != Errc::enrollment_expired) {
      log::log(log::Event::client_enrollment_failed, {{"error", done.error().text()}});
    }
    co_return fail(done.error());
  }
  log::log(log::Event::client_enrollment_redeemed,
           {{"client_name", done->client_name}, {"rotated_existing", done->existing}});
  if (done->existing) {
    ++token_epoch_;
    const bool cut = sink_ != nullptr && sink_->disconnect(done->client_id, "credential_rotated");
    log::log(log::Event::client_enrollment_rotated,
             {{"client_name", done->client_name}, {"disconnected", cut}});
  } else {
    for (ClientListener* listener : listeners_) {
      listener->on_client_enrolled(done->client_id, done->client_name);
    }
  }
  co_return RedeemedBundle{.client_name = done->client_name,
                           .client_id = done->client_id,
                           .server_endpoint = done->endpoint,
                           .server_cert_sha256 = material_.fingerprint,
                           .server_cert_pem = material_.certificate_pem,
                           .token = token,
                           .rotated_existing = done->existing};
}

}  // namespace portunus::server::auth
