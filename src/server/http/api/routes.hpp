#pragma once

#include "server/http/api/call.hpp"

namespace portunus::server::http::api {

// One function per route: decode in the order of http-api 1, ask for the role, call the domain
// once, encode. Everything else is the pipeline's.

async::Task<Result<Response>> get_me(const Call& call);
async::Task<Result<Response>> list_users(const Call& call);
async::Task<Result<Response>> add_user(const Call& call);
async::Task<Result<Response>> get_user(const Call& call);
async::Task<Result<Response>> delete_user(const Call& call);

async::Task<Result<Response>> list_credentials(const Call& call);
async::Task<Result<Response>> issue_credential(const Call& call);
async::Task<Result<Response>> revoke_credential(const Call& call);
async::Task<Result<Response>> rotate_credential(const Call& call);

async::Task<Result<Response>> list_grants(const Call& call);
async::Task<Result<Response>> add_grant(const Call& call);
async::Task<Result<Response>> delete_grant(const Call& call);

async::Task<Result<Response>> change_own_password(const Call& call);
async::Task<Result<Response>> reset_password(const Call& call);

async::Task<Result<Response>> list_clients(const Call& call);
async::Task<Result<Response>> set_client_address(const Call& call);
async::Task<Result<Response>> rename_client(const Call& call);
async::Task<Result<Response>> revoke_client(const Call& call);
async::Task<Result<Response>> delete_client(const Call& call);

async::Task<Result<Response>> enroll_client(const Call& call);
async::Task<Result<Response>> enroll_client_again(const Call& call);

async::Task<Result<Response>> list_rules(const Call& call);
async::Task<Result<Response>> push_rule(const Call& call);
async::Task<Result<Response>> update_rule(const Call& call);
async::Task<Result<Response>> delete_rule(const Call& call);
async::Task<Result<Response>> get_rule_stats(const Call& call);
async::Task<Result<Response>> stream_rule_stats(const Call& call);

async::Task<Result<Response>> list_owners(const Call& call);
async::Task<Result<Response>> get_owner_caps(const Call& call);
async::Task<Result<Response>> put_owner_caps(const Call& call);
async::Task<Result<Response>> delete_owner_caps(const Call& call);

async::Task<Result<Response>> list_user_quotas(const Call& call);
async::Task<Result<Response>> list_client_quotas(const Call& call);
async::Task<Result<Response>> get_quota_status(const Call& call);
async::Task<Result<Response>> put_quota(const Call& call);
async::Task<Result<Response>> patch_quota(const Call& call);
async::Task<Result<Response>> delete_quota(const Call& call);

async::Task<Result<Response>> get_user_traffic(const Call& call);
async::Task<Result<Response>> get_client_traffic(const Call& call);
async::Task<Result<Response>> get_global_traffic(const Call& call);

async::Task<Result<Response>> get_advertised_endpoint(const Call& call);
async::Task<Result<Response>> put_advertised_endpoint(const Call& call);

async::Task<Result<Response>> list_audit(const Call& call);

async::Task<Result<Response>> get_metrics(const Call& call);

}  // namespace portunus::server::http::api
