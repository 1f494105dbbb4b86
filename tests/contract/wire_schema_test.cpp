// The tables of control-wire section 2 as data, held against the schema that the programs link.

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "portunus/v1/control.pb.h"
#include "portunus/v1/enrollment.pb.h"

namespace portunus {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

enum class Presence { singular, optional, repeated, member };

struct FieldRow {
  std::string_view message;
  int number;
  std::string_view name;
  std::string_view type;
  Presence presence;
};

// clang-format off
constexpr FieldRow kFields[] = {
    {"EnrollClientRequest", 1, "code", "string", Presence::singular},

    {"CredentialBundle", 1, "version", "uint32", Presence::singular},
    {"CredentialBundle", 2, "client_name", "string", Presence::singular},
    {"CredentialBundle", 3, "server_endpoint", "string", Presence::singular},
    {"CredentialBundle", 4, "server_cert_sha256", "string", Presence::singular},
    {"CredentialBundle", 5, "server_cert_pem", "string", Presence::singular},
    {"CredentialBundle", 6, "token", "string", Presence::singular},
    {"CredentialBundle", 7, "client_id", "string", Presence::singular},

    {"ClientMessage", 1, "hello", "Hello", Presence::member},
    {"ClientMessage", 2, "rule_status", "RuleStatus", Presence::member},
    {"ClientMessage", 3, "stats_report", "StatsReport", Presence::member},

    {"ServerMessage", 1, "welcome", "Welcome", Presence::member},
    {"ServerMessage", 2, "rule_update", "RuleUpdate", Presence::member},
    {"ServerMessage", 3, "owner_rate_limit_update", "OwnerRateLimitUpdate", Presence::member},
    {"ServerMessage", 4, "traffic_quota_update", "TrafficQuotaUpdate", Presence::member},
    {"ServerMessage", 100, "replay_complete", "ReplayComplete", Presence::member},

    {"Hello", 1, "protocol_version", "string", Presence::singular},
    {"Hello", 2, "client_version", "string", Presence::singular},
    {"Hello", 3, "supported_protocols", "Protocol", Presence::repeated},
    {"Hello", 100, "instance_id", "string", Presence::singular},

    {"Welcome", 1, "server_version", "string", Presence::singular},
    {"Welcome", 2, "server_time_unix_ms", "uint64", Presence::singular},
    {"Welcome", 3, "udp_flow_idle_secs", "uint32", Presence::singular},
    {"Welcome", 4, "udp_max_flows_per_rule", "uint32", Presence::singular},

    {"Rule", 1, "rule_id", "uint64", Presence::singular},
    {"Rule", 2, "listen_port", "uint32", Presence::singular},
    {"Rule", 3, "target_host", "string", Presence::singular},
    {"Rule", 4, "target_port", "uint32", Presence::singular},
    {"Rule", 5, "protocol", "Protocol", Presence::singular},
    {"Rule", 6, "listen_port_end", "uint32", Presence::singular},
    {"Rule", 7, "target_port_end", "uint32", Presence::singular},
    {"Rule", 8, "prefer_ipv6", "bool", Presence::optional},
    {"Rule", 9, "targets", "Target", Presence::repeated},
    {"Rule", 10, "health_check_interval_secs", "uint32", Presence::singular},
    {"Rule", 11, "sni_pattern", "string", Presence::optional},
    {"Rule", 12, "rate_limit", "RateLimit", Presence::optional},
    {"Rule", 13, "owner_id", "string", Presence::optional},

    {"Target", 1, "host", "string", Presence::singular},
    {"Target", 2, "port", "uint32", Presence::singular},
    {"Target", 3, "priority", "uint32", Presence::singular},
    {"Target", 4, "proxy_protocol", "ProxyProtocolVersion", Presence::optional},

    {"RateLimit", 1, "bandwidth_in_bps", "uint64", Presence::optional},
    {"RateLimit", 2, "bandwidth_out_bps", "uint64", Presence::optional},
    {"RateLimit", 3, "new_connections_per_sec", "uint32", Presence::optional},
    {"RateLimit", 4, "concurrent_connections", "uint32", Presence::optional},
    {"RateLimit", 5, "bandwidth_in_burst", "uint64", Presence::optional},
    {"RateLimit", 6, "bandwidth_out_burst", "uint64", Presence::optional},
    {"RateLimit", 7, "new_connections_burst", "uint32", Presence::optional},

    {"RuleUpdate", 1, "request_id", "string", Presence::singular},
    {"RuleUpdate", 2, "action", "RuleAction", Presence::singular},
    {"RuleUpdate", 3, "rule", "Rule", Presence::singular},

    {"RuleStatus", 1, "request_id", "string", Presence::singular},
    {"RuleStatus", 2, "rule_id", "uint64", Presence::singular},
    {"RuleStatus", 3, "outcome", "ActivationOutcome", Presence::singular},
    {"RuleStatus", 4, "reason", "string", Presence::singular},

    {"OwnerRateLimitUpdate", 1, "client_name", "string", Presence::singular},
    {"OwnerRateLimitUpdate", 2, "owner_id", "string", Presence::singular},
    {"OwnerRateLimitUpdate", 3, "rate_limit", "RateLimit", Presence::optional},
    {"OwnerRateLimitUpdate", 4, "action", "OwnerRateLimitAction", Presence::singular},
    {"OwnerRateLimitUpdate", 5, "client_id", "string", Presence::singular},

    {"TrafficQuotaState", 1, "monthly_bytes", "int64", Presence::singular},
    {"TrafficQuotaState", 2, "budget_remaining_bytes", "int64", Presence::singular},
    {"TrafficQuotaState", 3, "period_started_at_unix_sec", "int64", Presence::singular},
    {"TrafficQuotaState", 4, "period_ends_at_unix_sec", "int64", Presence::singular},
    {"TrafficQuotaState", 5, "exhausted", "bool", Presence::singular},

    {"TrafficQuotaUpdate", 1, "request_id", "string", Presence::singular},
    {"TrafficQuotaUpdate", 2, "user_id", "string", Presence::singular},
    {"TrafficQuotaUpdate", 3, "client_name", "string", Presence::singular},
    {"TrafficQuotaUpdate", 4, "action", "TrafficQuotaAction", Presence::singular},
    {"TrafficQuotaUpdate", 5, "state", "TrafficQuotaState", Presence::optional},
    {"TrafficQuotaUpdate", 6, "client_id", "string", Presence::singular},

    {"StatsReport", 1, "sent_at_unix_ms", "uint64", Presence::singular},
    {"StatsReport", 2, "stats", "RuleStats", Presence::repeated},
    {"StatsReport", 3, "sni_listener_stats", "SniListenerStats", Presence::repeated},
    {"StatsReport", 4, "owner_rate_limit_stats", "OwnerRateLimitStats", Presence::repeated},

    {"RuleStats", 1, "rule_id", "uint64", Presence::singular},
    {"RuleStats", 2, "bytes_in", "uint64", Presence::singular},
    {"RuleStats", 3, "bytes_out", "uint64", Presence::singular},
    {"RuleStats", 4, "active_connections", "uint32", Presence::singular},
    {"RuleStats", 5, "per_port", "PerPortStats", Presence::repeated},
    {"RuleStats", 6, "dns_failures", "uint64", Presence::singular},
    {"RuleStats", 7, "datagrams_in", "uint64", Presence::singular},
    {"RuleStats", 8, "datagrams_out", "uint64", Presence::singular},
    {"RuleStats", 9, "active_flows", "uint32", Presence::singular},
    {"RuleStats", 10, "flows_dropped_overflow", "uint64", Presence::singular},
    {"RuleStats", 11, "target_failovers_total", "uint64", Presence::singular},
    {"RuleStats", 12, "per_target", "PerTargetStats", Presence::repeated},
    {"RuleStats", 13, "sni_route_exact_total", "uint64", Presence::singular},
    {"RuleStats", 14, "sni_route_wildcard_total", "uint64", Presence::singular},
    {"RuleStats", 15, "sni_route_fallback_total", "uint64", Presence::singular},
    {"RuleStats", 16, "rate_limit", "RateLimitStats", Presence::optional},

    {"RateLimitStats", 1, "reject_total", "RateLimitRejectCount", Presence::repeated},
    {"RateLimitStats", 2, "throttle_micros_in", "uint64", Presence::singular},
    {"RateLimitStats", 3, "throttle_micros_out", "uint64", Presence::singular},
    {"RateLimitStats", 4, "active_connections", "uint32", Presence::singular},

    {"RateLimitRejectCount", 1, "reason", "RateLimitRejectReason", Presence::singular},
    {"RateLimitRejectCount", 2, "total", "uint64", Presence::singular},

    {"OwnerRateLimitStats", 1, "owner_id", "string", Presence::singular},
    {"OwnerRateLimitStats", 2, "stats", "RateLimitStats", Presence::singular},

    {"PerTargetStats", 1, "index", "uint32", Presence::singular},
    {"PerTargetStats", 2, "host", "string", Presence::singular},
    {"PerTargetStats", 3, "port", "uint32", Presence::singular},
    {"PerTargetStats", 4, "priority", "uint32", Presence::singular},
    {"PerTargetStats", 5, "health", "uint32", Presence::singular},
    {"PerTargetStats", 6, "consecutive_failures", "uint32", Presence::singular},
    {"PerTargetStats", 7, "last_failure_at_unix_ms", "uint64", Presence::singular},
    {"PerTargetStats", 8, "last_success_at_unix_ms", "uint64", Presence::singular},
    {"PerTargetStats", 9, "bytes_in", "uint64", Presence::singular},
    {"PerTargetStats", 10, "bytes_out", "uint64", Presence::singular},
    {"PerTargetStats", 11, "connections_accepted", "uint64", Presence::singular},

    {"PerPortStats", 1, "listen_port", "uint32", Presence::singular},
    {"PerPortStats", 2, "bytes_in", "uint64", Presence::singular},
    {"PerPortStats", 3, "bytes_out", "uint64", Presence::singular},
    {"PerPortStats", 4, "active_connections", "uint32", Presence::singular},
    {"PerPortStats", 5, "datagrams_in", "uint64", Presence::singular},
    {"PerPortStats", 6, "datagrams_out", "uint64", Presence::singular},

    {"SniListenerStats", 1, "listen_port", "uint32", Presence::singular},
    {"SniListenerStats", 2, "sni_route_miss_total", "uint64", Presence::singular},
    {"SniListenerStats", 3, "client_hello_parse_failures_total", "uint64", Presence::singular},
    {"SniListenerStats", 4, "client_hello_peek_bucket_counts", "uint64", Presence::repeated},
    {"SniListenerStats", 5, "client_hello_peek_sum_micros", "uint64", Presence::singular},
    {"SniListenerStats", 6, "client_hello_peek_count", "uint64", Presence::singular},
};

struct EnumRow {
  std::string_view type;
  int number;
  std::string_view name;
};

constexpr EnumRow kEnums[] = {
    {"Protocol", 0, "PROTOCOL_UNSPECIFIED"},
    {"Protocol", 1, "TCP"},
    {"Protocol", 2, "UDP"},
    {"RuleAction", 0, "RULE_ACTION_UNSPECIFIED"},
    {"RuleAction", 1, "PUSH"},
    {"RuleAction", 2, "REMOVE"},
    {"ActivationOutcome", 0, "ACTIVATION_OUTCOME_UNSPECIFIED"},
    {"ActivationOutcome", 1, "ACTIVATED"},
    {"ActivationOutcome", 2, "FAILED"},
    {"ActivationOutcome", 3, "REMOVED"},
    {"ProxyProtocolVersion", 0, "PROXY_PROTOCOL_VERSION_UNSPECIFIED"},
    {"ProxyProtocolVersion", 1, "PROXY_PROTOCOL_VERSION_V1"},
    {"ProxyProtocolVersion", 2, "PROXY_PROTOCOL_VERSION_V2"},
    {"OwnerRateLimitAction", 0, "OWNER_RATE_LIMIT_ACTION_UNSPECIFIED"},
    {"OwnerRateLimitAction", 1, "OWNER_RATE_LIMIT_ACTION_SET"},
    {"OwnerRateLimitAction", 2, "OWNER_RATE_LIMIT_ACTION_REMOVE"},
    {"TrafficQuotaAction", 0, "TRAFFIC_QUOTA_ACTION_UNSPECIFIED"},
    {"TrafficQuotaAction", 1, "TRAFFIC_QUOTA_ACTION_SET"},
    {"TrafficQuotaAction", 2, "TRAFFIC_QUOTA_ACTION_REMOVE"},
    {"RateLimitRejectReason", 0, "RATE_LIMIT_REJECT_REASON_UNSPECIFIED"},
    {"RateLimitRejectReason", 1, "RATE_LIMIT_REJECT_REASON_CONN_CONCURRENT"},
    {"RateLimitRejectReason", 2, "RATE_LIMIT_REJECT_REASON_CONN_RATE"},
    {"RateLimitRejectReason", 3, "RATE_LIMIT_REJECT_REASON_UDP_FLOW_RATE"},
    {"RateLimitRejectReason", 4, "RATE_LIMIT_REJECT_REASON_OWNER_CONCURRENT"},
    {"RateLimitRejectReason", 5, "RATE_LIMIT_REJECT_REASON_OWNER_CONN_RATE"},
    {"RateLimitRejectReason", 6, "RATE_LIMIT_REJECT_REASON_OWNER_UDP_FLOW_RATE"},
};
// clang-format on

const Descriptor* message_named(std::string_view name) {
  return DescriptorPool::generated_pool()->FindMessageTypeByName("portunus.v1." +
                                                                 std::string(name));
}

std::string type_of(const FieldDescriptor& field) {
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) return field.message_type()->name();
  if (field.type() == FieldDescriptor::TYPE_ENUM) return field.enum_type()->name();
  return field.type_name();
}

Presence presence_of(const FieldDescriptor& field) {
  if (field.is_repeated()) return Presence::repeated;
  if (field.real_containing_oneof() != nullptr) return Presence::member;
  return field.has_optional_keyword() ? Presence::optional : Presence::singular;
}

TEST(WireSchema, every_row_of_the_tables_is_in_the_schema) {
  for (const FieldRow& row : kFields) {
    SCOPED_TRACE(std::string(row.message) + "." + std::string(row.name));
    const Descriptor* message = message_named(row.message);
    ASSERT_NE(message, nullptr);
    const FieldDescriptor* field = message->FindFieldByNumber(row.number);
    ASSERT_NE(field, nullptr);
    EXPECT_EQ(field->name(), row.name);
    EXPECT_EQ(type_of(*field), row.type);
    EXPECT_EQ(presence_of(*field), row.presence);
    if (field->is_packable()) EXPECT_TRUE(field->is_packed());
    if (presence_of(*field) == Presence::member) {
      EXPECT_EQ(field->containing_oneof()->name(), "payload");
    }
  }
}

TEST(WireSchema, nothing_is_in_the_schema_that_is_not_in_the_tables) {
  std::map<std::string, std::set<int>, std::less<>> known;
  for (const FieldRow& row : kFields) known[std::string(row.message)].insert(row.number);
  known["ReplayComplete"];  // empty by contract

  std::set<std::string> seen;
  std::set<const google::protobuf::FileDescriptor*> files;
  for (const auto& [name, numbers] : known) files.insert(message_named(name)->file());
  for (const auto* file : files) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor* message = file->message_type(i);
      ASSERT_TRUE(known.contains(message->name())) << message->name();
      seen.insert(message->name());
      for (int f = 0; f < message->field_count(); ++f) {
        EXPECT_TRUE(known[message->name()].contains(message->field(f)->number()))
            << message->field(f)->full_name();
      }
    }
  }
  EXPECT_EQ(seen.size(), known.size());
}

TEST(WireSchema, enums_have_the_numbers_and_names_of_the_table) {
  std::map<const EnumDescriptor*, int> counted;
  for (const EnumRow& row : kEnums) {
    SCOPED_TRACE(row.name);
    const EnumDescriptor* type = DescriptorPool::generated_pool()->FindEnumTypeByName(
        "portunus.v1." + std::string(row.type));
    ASSERT_NE(type, nullptr);
    const auto* value = type->FindValueByNumber(row.number);
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(value->name(), row.name);
    ++counted[type];
  }
  for (const auto& [type, count] : counted) EXPECT_EQ(type->value_count(), count) << type->name();
}

TEST(WireSchema, services_have_the_names_and_shapes_of_section_1) {
  const auto* pool = DescriptorPool::generated_pool();
  const auto* channel = pool->FindMethodByName("portunus.v1.Control.Channel");
  ASSERT_NE(channel, nullptr);
  EXPECT_TRUE(channel->client_streaming());
  EXPECT_TRUE(channel->server_streaming());
  EXPECT_EQ(channel->input_type()->name(), "ClientMessage");
  EXPECT_EQ(channel->output_type()->name(), "ServerMessage");
  const auto* enroll = pool->FindMethodByName("portunus.v1.ClientEnrollment.Enroll");
  ASSERT_NE(enroll, nullptr);
  EXPECT_FALSE(enroll->client_streaming());
  EXPECT_FALSE(enroll->server_streaming());
  EXPECT_EQ(enroll->input_type()->name(), "EnrollClientRequest");
  EXPECT_EQ(enroll->output_type()->name(), "CredentialBundle");
}

}  // namespace
}  // namespace portunus
