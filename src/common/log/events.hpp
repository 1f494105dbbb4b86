#pragma once

#include <array>

#include "common/log/event.hpp"

namespace portunus::log {

// The one table of events: id, name, level, target, fields, meaning. docs/events.md is generated
// from it (tests/lint/check_events.py); docs/contracts/observability.md is what it implements.
// A "?" marks a field that is not always there.

// clang-format off
#define PORTUNUS_EVENTS_PROCESS(X) \
  X(process_start, "process.start", info, process, "binary version pid", "first line of a daemon") \
  X(redaction_violation, "audit.redaction_violation", error, process, "field source", "a field with the name of a secret was about to be logged") \
  X(shutdown_signal, "shutdown.signal", info, process, "signal", "a stop signal arrived")

#define PORTUNUS_EVENTS_SERVER(X) \
  X(store_opened, "store.opened", info, server, "path schema_version target_version", "database file opened") \
  X(store_ready, "store.ready", info, server, "path schema_version", "database usable") \
  X(unsupported_filesystem, "startup.unsupported_filesystem", error, server, "path fs", "data directory refused") \
  X(store_in_use, "startup.store_in_use", error, server, "path", "another process holds the store lock") \
  X(schema_too_new, "startup.schema_version_too_new", error, server, "path? on_disk binary_supports", "the store belongs to a newer release") \
  X(store_corrupt, "startup.store_corrupt", error, server, "path hint", "not a SQLite file, or not our application id") \
  X(migration_failed, "startup.migration_failed", error, server, "path error", "database left at the previous version") \
  X(legacy_file_ignored, "startup.legacy_persistence_file_ignored", warn, server, "path hint", "stale JSON store file") \
  X(operator_store_loaded, "operator.store_loaded", info, server, "path users grants superadmin_present", "identities counted at start") \
  X(operator_store_reloaded, "operator.store_reloaded", info, server, "path users grants superadmin_present outcome note", "SIGHUP, which changes nothing") \
  X(rules_hydrated, "rules.hydrated", info, server, "count", "stored rules loaded") \
  X(owner_cap_hydrated, "owner_cap.hydrated", info, server, "owners clients", "stored owner limits loaded") \
  X(tls_cert_generated, "tls.cert_generated", info, server, "fingerprint_sha256", "first self-signed pair written") \
  X(tls_operator_cert_in_use, "tls.operator_cert_in_use", warn, server, "host", "an operator's pair kept although a seed is set") \
  X(tls_cert_regenerated, "tls.cert_regenerated", warn, server, "host old_fingerprint new_fingerprint", "generated pair replaced") \
  X(server_listening, "server.listening", info, server, "grpc operator_http metrics", "all three sockets bound") \
  X(server_draining, "server.draining", info, server, "", "shutdown begins") \
  X(server_stopped, "server.stopped", info, server, "", "shutdown is complete") \
  X(cli_backup_complete, "cli.backup_complete", info, server, "src dst outcome", "the store was copied") \
  X(cli_restore_complete, "cli.restore_complete", info, server, "src dst outcome", "a backup is the store now") \
  X(cli_restore_failed, "cli.restore_failed", warn, server, "src error", "a backup was refused; the store is as it was") \
  X(cli_reset_complete, "cli.reset_complete", info, server, "data_dir outcome", "the store was removed; noop where there was none") \
  X(operator_bootstrap, "operator.bootstrap", info, server, "actor new_user new_credential outcome", "superadmin created from the command line") \
  X(operator_bootstrap_legacy, "operator.bootstrap_legacy", info, server, "outcome error?", "superadmin from operator_token") \
  X(operator_config_token_ignored, "operator.config_token_ignored", warn, server, "reason", "operator_token set on a populated store") \
  X(onboarding_setup_token_rotated, "operator.onboarding_setup_token_rotated", info, server, "expires_at", "a new setup token replaced the old one") \
  X(operator_allow, "operator.allow", info, server, "actor role method path outcome auth_method?", "accepted request; a successful read is DEBUG") \
  X(operator_deny, "operator.deny", warn, server, "actor method path outcome reason auth_method?", "refused request") \
  X(operator_store_error, "operator.store_error", warn, server, "error", "a request failed in the store") \
  X(audit_enrollment_created, "audit.client_enrollment_created", info, server, "client_name expires_at", "enrollment code issued") \
  X(audit_reenrollment_created, "audit.client_reenrollment_created", info, server, "client_name expires_at", "code for an existing client issued") \
  X(audit_revoke, "audit.revoke", info, server, "outcome client_name was_connected", "client revoked") \
  X(audit_client_delete, "audit.client_delete", info, server, "outcome client_name", "client deleted") \
  X(audit_client_update, "audit.client_update", info, server, "outcome client_name", "client address or name changed") \
  X(audit_rule_push, "audit.rule_push", info, server, "outcome request_id rule_id client_name listen_port? listen_port_end? range_size? target? target_count? health_check_interval_secs? multi_target? reason?", "a push and its result; failures are WARN") \
  X(audit_rule_remove, "audit.rule_remove", info, server, "outcome request_id rule_id client_name", "rule removed; WARN when the client was not reached") \
  X(auth_failure, "auth.failure", warn, server, "reason", "control-plane bearer refused") \
  X(client_hello, "client.hello", info, server, "client_name protocol_version client_version supported_protocols", "first message of a session") \
  X(client_connected, "client.connected", info, server, "client_name remote_addr session_id supported_protocols", "session registered") \
  X(client_disconnected, "client.disconnected", info, server, "client_name session_id reason", "session over") \
  X(client_transport_error, "client.transport_error", warn, server, "client_name error", "stream broke") \
  X(client_hello_after_welcome, "client.hello_after_welcome", warn, server, "client_name protocol_version client_version", "protocol misuse, ignored") \
  X(client_stats_report, "client.stats_report", debug, server, "client_name rule_count sent_at_unix_ms", "each report") \
  X(client_rule_status_unmatched, "client.rule_status_unmatched", info, server, "client_name rule_id request_id suppressed?", "late or unsolicited status") \
  X(client_rule_status_wrong_client, "client.rule_status_wrong_client", warn, server, "client_name rule_id request_id rule_owner suppressed?", "status for another client's rule") \
  X(client_enrollment_redeemed, "client.enrollment_redeemed", info, server, "client_name rotated_existing", "code redeemed") \
  X(client_enrollment_rotated, "client.enrollment_rotated", info, server, "client_name disconnected", "live session cut by a redeemed code") \
  X(client_enrollment_failed, "client.enrollment_failed", warn, server, "error", "redeeming failed") \
  X(advertised_derive_uncovered, "advertised.derive_uncovered", warn, server, "host", "the request's host is not in the certificate") \
  X(advertised_no_covered_candidate, "advertised.no_covered_candidate", warn, server, "", "no endpoint is covered by the certificate")

#define PORTUNUS_EVENTS_PEOPLE(X) \
  X(operator_user_added, "operator.user_added", info, server, "actor new_user outcome", "user created") \
  X(operator_user_removed, "operator.user_removed", info, server, "actor removed_user revoked_credentials revoked_grants removed_rules outcome", "user removed with all that was theirs") \
  X(operator_credential_issued, "operator.credential_issued", info, server, "actor target credential_id outcome", "API token issued") \
  X(operator_credential_revoked, "operator.credential_revoked", info, server, "actor target credential_id outcome", "API token revoked") \
  X(operator_credential_rotated, "operator.credential_rotated", info, server, "actor target old_credential new_credential outcome", "API token replaced") \
  X(operator_grant_added, "operator.grant_added", info, server, "actor target grant_id outcome", "grant created") \
  X(operator_grant_revoked, "operator.grant_revoked", info, server, "actor target grant_id cascaded_rules outcome", "grant removed with the rules that nothing else covers")

#define PORTUNUS_EVENTS_CLIENT(X) \
  X(bundle_loaded, "client.bundle_loaded", info, client, "client_name endpoint", "credentials read") \
  X(bundle_search_failed, "client.bundle_search_failed", error, client, "attempted", "no credentials found") \
  X(bundle_load_failed, "client.bundle_load_failed", error, client, "path error", "credentials unusable") \
  X(self_bootstrap, "client.self_bootstrap", info, client, "path", "enrollment URI redeemed at first start") \
  X(self_bootstrap_failed, "client.self_bootstrap_failed", error, client, "error path", "first-start enrollment failed") \
  X(enrollment_failed, "client.enrollment_failed", error, client, "error", "enroll failed") \
  X(client_runtime_failed, "client.runtime_failed", error, client, "error", "the agent could not start") \
  X(client_stopped, "client.stopped", info, client, "", "normal end") \
  X(control_connecting, "control.connecting", info, client, "attempt endpoint", "a dial begins") \
  X(control_tls_pinned, "control.tls_pinned", info, client, "fingerprint_sha256", "the handshake matched the pin") \
  X(control_tls_pinned_mismatch, "control.tls_pinned_mismatch", error, client, "expected got", "pin violated") \
  X(control_connected, "control.connected", info, client, "server_version udp_flow_idle_secs udp_max_flows_per_rule", "Welcome received") \
  X(control_connect_failed, "control.connect_failed", warn, client, "error", "retried with backoff") \
  X(client_auth_failure, "auth.failure", warn, client, "reason", "the server refused the bearer") \
  X(control_terminal, "control.terminal", warn, client, "error", "no further reconnects") \
  X(control_stream_error, "control.stream_error", warn, client, "error", "session lost") \
  X(control_disconnected, "control.disconnected", info, client, "", "session over") \
  X(rule_received, "rule.received", info, client, "rule_id request_id listen_port listen_port_end protocol", "PUSH arrived") \
  X(rule_push_invalid_range, "control.rule_push_invalid_range", warn, client, "request_id rule_id error", "answered FAILED") \
  X(rule_push_invalid_target, "control.rule_push_invalid_target", warn, client, "request_id rule_id target_index error", "answered FAILED") \
  X(rule_update_missing_rule, "control.rule_update_missing_rule", warn, client, "request_id", "ignored") \
  X(rule_update_unspecified_action, "control.rule_update_unspecified_action", warn, client, "request_id rule_id", "ignored") \
  X(rule_remove_unknown, "control.rule_remove_unknown", warn, client, "request_id rule_id", "ignored") \
  X(sni_push_failed, "control.sni_push_failed", warn, client, "request_id rule_id error", "the SNI group refused the rule; answered FAILED") \
  X(owner_rate_limit_set, "control.owner_rate_limit_set", info, client, "client_name owner_id has_caps", "limits of an owner put in force, or lifted") \
  X(owner_rate_limit_remove, "control.owner_rate_limit_remove", info, client, "client_name owner_id", "limits of an owner lifted") \
  X(owner_rate_limit_unspecified_action, "control.owner_rate_limit_unspecified_action", warn, client, "client_name owner_id", "ignored") \
  X(owner_rate_limit_invalid, "control.owner_rate_limit_invalid", warn, client, "client_name owner_id", "caps that no operator could set; ignored") \
  X(traffic_quota_applied_set, "traffic_quota.applied_set", info, client, "user client monthly_bytes remaining exhausted", "quota installed or replaced") \
  X(traffic_quota_applied_remove, "traffic_quota.applied_remove", info, client, "user client", "quota removed") \
  X(traffic_quota_set_without_state, "control.traffic_quota_update_set_without_state", warn, client, "request_id user client", "ignored") \
  X(traffic_quota_unspecified_action, "control.traffic_quota_unspecified_action", warn, client, "request_id user client", "ignored") \
  X(status_send_failed, "control.status_send_failed", warn, client, "rule_id error", "a status was lost") \
  X(stats_send_failed, "control.stats_send_failed", warn, client, "error", "a report was dropped; the next carries the totals")

#define PORTUNUS_EVENTS_DATAPLANE(X) \
  X(rule_activated, "rule.activated", info, dataplane, "rule_id rule_name? listen_port listen_port_end range_size protocol target? target_count? targets? multi_target?", "every listener is bound") \
  X(rule_failed, "rule.failed", warn, dataplane, "rule_id rule_name? listen_port listen_port_end offending_port? reason multi_target?", "bind or runtime failure; ERROR when the process ends with the rule") \
  X(rule_removed, "rule.removed", info, dataplane, "rule_id rule_name? protocol target_failovers_total? multi_target?", "teardown complete") \
  X(rule_accept_error, "rule.accept_error", warn, dataplane_tcp, "rule_id rule_name? listen_port error multi_target? suppressed?", "retried after 50 ms") \
  X(rule_conn_closed, "rule.conn_closed", debug, dataplane_tcp, "rule_id rule_name? listen_port peer bytes_in bytes_out multi_target?", "both directions reached end of stream") \
  X(rule_conn_error, "rule.conn_error", warn, dataplane_tcp, "rule_id rule_name? listen_port peer error multi_target? suppressed?", "any other end of a connection") \
  X(splice_selected, "proxy.splice_selected", info, dataplane_tcp, "rule_id pipe_capacity_bytes has_sni_replay_done has_proxy_out", "first splice connection of an activation") \
  X(splice_unsupported_fallback, "proxy.splice_unsupported_fallback", warn, dataplane_tcp, "rule_id errno_name suppressed?", "a connection fell back to user space") \
  X(splice_pipe_size_failed, "proxy.splice_pipe_size_failed", warn, dataplane_tcp, "rule_id requested_bytes actual_default_bytes errno_name suppressed?", "a pipe could not be enlarged")

#define PORTUNUS_EVENTS_TARGETS(X) \
  X(target_health_changed, "rule.target.health_changed", warn, dataplane, "rule_id target_index target_host target_port from to consecutive_failures", "a target of a multi-target rule failed; INFO when it recovered") \
  X(rule_dns_resolved, "rule.dns_resolved", info, dataplane_dns, "rule_id rule_name? rule host chosen_addr addr_count prefer_ipv6", "a connection was served by a lookup of its own") \
  X(rule_dns_failed, "rule.dns_failed", warn, dataplane_dns, "rule_id rule_name? rule host reason detail tried suppressed?", "a target of a TCP connection was lost to DNS") \
  X(target_dial_failed, "rule.target.dial_failed", warn, dataplane_tcp, "rule_id rule_name? target_index target_host target_port error suppressed?", "a connection goes on to the next target") \
  X(target_header_refused, "rule.target.proxy_protocol_write_failed", warn, dataplane_tcp, "rule_id rule_name? target_index target_host target_port error proxy_protocol suppressed?", "a target did not take the PROXY header") \
  X(rule_conn_all_targets_failed, "rule.conn_error_all_targets_failed", warn, dataplane_tcp, "rule_id rule_name? listen_port peer target_count suppressed?", "no target took the connection") \
  X(target_probe_ok, "rule.target.probe_ok", debug, dataplane, "rule_id rule_name? target_index target_host target_port", "a probe of a target connected") \
  X(target_probe_failed, "rule.target.probe_failed", warn, dataplane, "rule_id rule_name? target_index target_host target_port error", "a probe of a target did not connect") \
  X(target_probe_timeout, "rule.target.probe_timeout", warn, dataplane, "rule_id rule_name? target_index target_host target_port timeout_secs", "a probe of a target took too long")

#define PORTUNUS_EVENTS_UDP(X) \
  X(udp_runtime_started, "rule.udp_runtime_started", info, dataplane_udp, "rule_id rule_name? listen_port_start listen_port_end range_size rule_cap cap_scope multi_target?", "the ports of a UDP rule are served") \
  X(rule_deactivated, "rule.deactivated", info, dataplane_udp, "rule_id rule_name? protocol reason multi_target?", "a UDP rule has stopped serving") \
  X(udp_listener_drained, "rule.udp_listener_drained", info, dataplane_udp, "rule_id rule_name? listen_port", "receiving on the port has ended") \
  X(udp_listener_recv_failed, "rule.udp_listener_recv_failed", warn, dataplane_udp, "rule_id rule_name? listen_port error suppressed?", "retried after 50 ms") \
  X(udp_flow_dropped_overflow, "rule.udp_flow_dropped_overflow", warn, dataplane_udp, "rule_id rule_name? listen_port source suppressed?", "the rule's flow cap is reached") \
  X(udp_flow_pending_drop, "rule.udp_flow_pending_drop", debug, dataplane_udp, "rule_id rule_name? listen_port source suppressed?", "the datagram's flow is still being built") \
  X(udp_addflow_dropped, "rule.udp_addflow_dropped", warn, dataplane_udp, "rule_id rule_name? listen_port source reason suppressed?", "no room to build a new flow") \
  X(udp_first_packet_rejected, "rule.udp_first_packet_rejected", warn, dataplane_udp, "rule_id rule_name? listen_port source scope reason suppressed?", "a limit refused a new flow") \
  X(udp_dns_failed, "rule.udp_dns_failed", warn, dataplane_udp, "rule_id rule_name? rule host reason detail listen_port source suppressed?", "a new flow's target could not be resolved or reached by name") \
  X(udp_upstream_bind_failed, "rule.udp_upstream_bind_failed", warn, dataplane_udp, "rule_id rule_name? listen_port source target error suppressed?", "no socket for a new flow; next address tried") \
  X(udp_upstream_connect_failed, "rule.udp_upstream_connect_failed", warn, dataplane_udp, "rule_id rule_name? listen_port source target error suppressed?", "next address tried") \
  X(udp_target_dial_failed, "rule.udp_target.dial_failed", warn, dataplane_udp, "rule_id rule_name? listen_port source target_index target_host target_port reason suppressed?", "a target of a multi-target rule did not take a new flow") \
  X(udp_all_targets_failed, "rule.udp_all_targets_failed", warn, dataplane_udp, "rule_id rule_name? listen_port source target_count suppressed?", "no target took the new flow") \
  X(udp_flow_opened, "rule.udp_flow_opened", info, dataplane_udp, "rule_id rule_name? listen_port source target", "a new flow has its upstream socket") \
  X(udp_first_packet_send_dropped, "rule.udp_first_packet_send_dropped", debug, dataplane_udp, "rule_id rule_name? listen_port source target action error", "the first datagram was refused, the flow stays") \
  X(udp_flow_evicted_icmp, "rule.udp_flow_evicted_icmp", info, dataplane_udp, "rule_id rule_name? listen_port source target error phase? suppressed?", "the target is gone, and the flow with it") \
  X(udp_flow_closed_idle, "rule.udp_flow_closed_idle", info, dataplane_udp, "rule_id rule_name? listen_port source bytes_in bytes_out datagrams_in datagrams_out", "idle for longer than the window") \
  X(udp_emsgsize, "rule.udp_emsgsize", debug, dataplane_udp, "rule_id rule_name? listen_port source dropped", "datagrams too long for the way to the target") \
  X(udp_upstream_wouldblock, "rule.udp_upstream_wouldblock", trace, dataplane_udp, "rule_id rule_name? listen_port source dropped", "datagrams the upstream socket did not take") \
  X(udp_reply_wouldblock, "rule.udp_reply_wouldblock", trace, dataplane_udp, "rule_id rule_name? listen_port source dropped", "replies the listening socket did not take") \
  X(udp_reply_send_failed, "rule.udp_reply_send_failed", warn, dataplane_udp, "rule_id rule_name? listen_port error suppressed?", "the listening socket refused replies; their flow stays")

#define PORTUNUS_EVENTS_TLS(X) \
  X(sni_listener_bound, "tls.sni_listener.bound", info, tls_sni, "listen_port rule_id", "the first member of a port in SNI mode") \
  X(sni_listener_unbound, "tls.sni_listener.unbound", info, tls_sni, "listen_port rule_id", "its last member left") \
  X(sni_listener_started, "tls.sni_listener.started", info, tls_sni, "listen_port", "one of its sockets accepts") \
  X(sni_listener_stopped, "tls.sni_listener.stopped", debug, tls_sni, "listen_port", "one of its sockets is closed") \
  X(sni_listener_accept_error, "tls.sni_listener.accept_error", warn, tls_sni, "listen_port error suppressed?", "retried after 50 ms") \
  X(sni_member_added, "tls.sni_group.member_added", info, tls_sni, "listen_port rule_id members", "a rule joined a port in SNI mode") \
  X(sni_member_removed, "tls.sni_group.member_removed", info, tls_sni, "listen_port rule_id members", "a rule left a port in SNI mode") \
  X(sni_table_rebuild_failed, "tls.sni_table.rebuild_failed", warn, tls_sni, "listen_port error", "a rule conflicts with a member of the port") \
  X(sni_routed, "tls.sni_routed", info, tls_sni, "rule_id rule_name? listen_port peer server_name match_kind", "a connection found its rule by name") \
  X(no_sni, "tls.no_sni", info, tls_sni, "listen_port peer fallback_used suppressed?", "a valid hello without a name") \
  X(sni_no_match, "tls.sni_no_match", warn, tls_sni, "listen_port peer server_name suppressed?", "no rule for this name: dropped") \
  X(client_hello_timeout, "tls.client_hello_timeout", warn, tls_sni, "listen_port peer bytes_read suppressed?", "no whole hello within 3 s: dropped") \
  X(tls_parse_failed, "tls.parse_failed", warn, tls_sni, "listen_port peer error suppressed?", "not a ClientHello: dropped") \
  X(sni_proxy_finished_error, "tls.proxy_finished_error", debug, tls_sni, "rule_id rule_name? listen_port peer error", "a connection of a port in SNI mode ended other than by both ends") \
  X(sni_local_addr_failed, "tls.proxy_protocol_local_addr_failed", warn, tls_sni, "rule_id rule_name? listen_port peer error suppressed?", "the PROXY header of a connection lacks its local address") \
  X(sni_peek_capacity, "tls.sni_peek_capacity", warn, tls_sni, "listen_port peer max_inflight_peeks suppressed?", "too many peeks: reset at accept")

#define PORTUNUS_EVENTS_OWNERS(X) \
  X(rule_rate_limit_reject, "rule.rate_limit_reject", debug, dataplane_tcp, "rule_id rule_name? listen_port peer scope reason multi_target?", "a limit of the rule or its owner refused a TCP connection") \
  X(tls_rate_limit_reject, "tls.rate_limit_reject", debug, tls_sni, "rule_id listen_port peer scope reason", "the same for a connection that was routed by name") \
  X(rule_quota_reject, "rule.quota_reject", debug, dataplane_tcp, "rule_id rule_name? listen_port peer user", "a TCP connection was refused because the owner's quota is exhausted") \
  X(owner_cap_hydrate_failed, "owner_cap.hydrate_failed", warn, server, "error", "stored owner limits not loaded; started without") \
  X(owner_cap_upserted, "owner_cap.upserted", info, server, "client_name owner_id updated_at_unix_ms", "an owner's limits on a client written") \
  X(owner_cap_deleted, "owner_cap.deleted", info, server, "client_name owner_id", "an owner's limits on a client removed") \
  X(owner_cap_gc_swept, "owner_cap.gc_swept", info, server, "client_name owner_id", "limits collected with the owner's last rule on the client") \
  X(owner_cap_push_failed, "owner_cap.push_failed", warn, server, "client_name owner_id action error", "the session refused the message; replay repairs") \
  X(traffic_quota_hydrate_failed, "traffic_quota.cache_hydrate_failed", warn, server, "error", "stored quotas not loaded; started without") \
  X(traffic_quota_push_failed, "traffic_quota.push_failed", warn, server, "user client action", "the session refused an operator's change; replay repairs") \
  X(traffic_quota_exhaust_push_failed, "traffic_quota.exhaust_push_failed", warn, server, "user client", "the session refused the exhaustion; replay repairs") \
  X(traffic_quota_rollover_push_failed, "traffic_quota.rollover_push_failed", warn, server, "user client", "the session refused the new period; replay repairs") \
  X(traffic_quota_period_rolled, "traffic_quota.period_rolled", info, server, "user client new_start", "a billing period began") \
  X(traffic_quota_accumulate_missing, "traffic_quota.accumulate_missing", warn, server, "user client delta", "usage for a quota that vanished from the store") \
  X(traffic_sample_write_failed, "traffic_aggregator.sample_write_failed", error, server, "error client user", "a minute of traffic history was not written") \
  X(traffic_accumulate_failed, "traffic_aggregator.accumulate_failed", error, server, "error client user", "usage not booked; kept for the next report") \
  X(traffic_accumulated, "traffic_aggregator.accumulated", debug, server, "user client delta_total used monthly", "usage booked on a quota") \
  X(traffic_no_row, "traffic_aggregator.no_row", debug, server, "user client delta_total", "usage of a user without a quota") \
  X(traffic_rollover_tick, "traffic_rollover.tick", info, server, "advanced", "periods begun by one check") \
  X(traffic_rollover_tick_failed, "traffic_rollover.tick_failed", error, server, "error", "periods could not be written; tried again at the next check") \
  X(traffic_rollup_tick, "traffic_rollup.tick", info, server, "rolled_up deleted_1m deleted_1h", "hours of traffic history made of minutes, and samples expired") \
  X(traffic_rollup_tick_failed, "traffic_rollup.tick_failed", error, server, "error", "hours could not be written; tried again after a minute") \
  X(stats_stream_lagged, "stats_stream.lagged", warn, server, "error", "a live-stats subscriber lost snapshots")

#define PORTUNUS_EVENTS_AUDIT(X) \
  X(audit_handoff_overflow, "audit.handoff_overflow", warn, server, "capacity suppressed?", "the queue was full: an audit entry is lost") \
  X(audit_writer_closed, "audit.writer_closed", error, server, "", "an audit entry came after the writer had ended: lost") \
  X(audit_flush_failed, "audit.flush_failed", error, server, "error batch_size", "a batch could not be written: its audit entries are lost") \
  X(audit_writer_channel_closed, "audit.writer_channel_closed", debug, server, "", "the audit log takes no more entries") \
  X(audit_writer_drained, "audit.writer_drained_on_shutdown", debug, server, "", "every audit entry is written or given up") \
  X(audit_retention_sweep, "audit_retention.sweep", info, server, "deleted_by_age deleted_by_count", "old audit entries removed") \
  X(audit_retention_failed, "audit_retention.sweep_failed", error, server, "error", "old audit entries not removed; tried again at the next sweep")

#define PORTUNUS_EVENTS_STANDALONE(X) \
  X(standalone_rlimit_nofile, "standalone.rlimit_nofile", info, standalone, "soft hard", "descriptors this process may open") \
  X(standalone_rlimit_nofile_low, "standalone.rlimit_nofile_low", warn, standalone, "soft", "fewer than 4096 descriptors") \
  X(standalone_rlimit_query_failed, "standalone.rlimit_query_failed", debug, standalone, "error", "the limit of descriptors is unknown") \
  X(standalone_stats, "standalone.stats", info, standalone, "rule rule_name in_bytes out_bytes active_conns datagrams_in datagrams_out active_flows", "per rule, at start and every minute") \
  X(standalone_stats_socket_listening, "standalone.stats_socket_listening", info, standalone, "path refresh_ms", "readers may come") \
  X(standalone_stats_socket_bind_failed, "standalone.stats_socket_bind_failed", error, standalone, "path error", "forwarding goes on without the stats socket") \
  X(standalone_stats_accept_error, "standalone.stats_accept_error", warn, standalone, "error", "retried after 50 ms") \
  X(standalone_stats_client_write_failed, "standalone.stats_client_write_failed", debug, standalone, "error stage", "a reader was let go") \
  X(standalone_stats_client_disconnected, "standalone.stats_client_disconnected", debug, standalone, "error", "a reader went away") \
  X(standalone_sighup_ignored, "standalone.sighup_ignored", info, standalone, "", "SIGHUP, which changes nothing") \
  X(standalone_fatal_shutdown, "standalone.fatal_shutdown", error, standalone, "error", "the daemon ends because of a failure") \
  X(standalone_stopped, "standalone.stopped", info, standalone, "", "normal end")
// clang-format on

#define PORTUNUS_EVENTS(X)     \
  PORTUNUS_EVENTS_PROCESS(X)   \
  PORTUNUS_EVENTS_SERVER(X)    \
  PORTUNUS_EVENTS_PEOPLE(X)    \
  PORTUNUS_EVENTS_CLIENT(X)    \
  PORTUNUS_EVENTS_DATAPLANE(X) \
  PORTUNUS_EVENTS_TARGETS(X)   \
  PORTUNUS_EVENTS_UDP(X)       \
  PORTUNUS_EVENTS_TLS(X)       \
  PORTUNUS_EVENTS_OWNERS(X)    \
  PORTUNUS_EVENTS_AUDIT(X)     \
  PORTUNUS_EVENTS_STANDALONE(X)

enum class Event : std::uint8_t {
#define PORTUNUS_EVENT_ID(id, name, level, target, fields, meaning) id,
  PORTUNUS_EVENTS(PORTUNUS_EVENT_ID)
#undef PORTUNUS_EVENT_ID
};

struct EventInfo {
  std::string_view name;
  Level level;
  Target target;
  std::string_view fields;
  std::string_view meaning;
};

inline constexpr auto kEvents = std::to_array<EventInfo>({
#define PORTUNUS_EVENT_INFO(id, name, level, target, fields, meaning) \
  {name, Level::level, Target::target, fields, meaning},
    PORTUNUS_EVENTS(PORTUNUS_EVENT_INFO)
#undef PORTUNUS_EVENT_INFO
});

constexpr const EventInfo& info(Event event) {
  return kEvents[static_cast<std::size_t>(event)];
}

}  // namespace portunus::log
