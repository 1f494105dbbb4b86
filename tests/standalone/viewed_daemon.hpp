#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "standalone/viewer_state.hpp"

namespace portunus::standalone {

/// A daemon with a TCP, a UDP and a two-target rule, as its readers see it.
inline nlohmann::json viewed_hello() {
  return nlohmann::json::parse(R"({"v":1,"daemon_version":"9.9.9","rules":[
    {"id":"1","name":"web","proto":"tcp","listen":"8080","splice_capable":true,"udp_max_flows":null,
     "targets":[{"host":"10.0.0.1","port":80,"priority":0,"proxy_protocol":null}]},
    {"id":"2","name":"games","proto":"udp","listen":"30000-30009","splice_capable":false,
     "udp_max_flows":64,"targets":[{"host":"10.0.0.2","port":40000,"priority":0,"proxy_protocol":null}]},
    {"id":"3","name":"api","proto":"tcp","listen":"443","splice_capable":true,"udp_max_flows":null,
     "targets":[{"host":"b.example","port":8443,"priority":9,"proxy_protocol":"v2"},
                {"host":"a.example","port":8443,"priority":1,"proxy_protocol":null}]}]})");
}

struct Moved {
  std::uint64_t in, out, active, total;
};

inline nlohmann::json viewed_snapshot(std::uint64_t uptime_ms, Moved web, Moved games, Moved api) {
  nlohmann::json rows = nlohmann::json::array();
  int id = 0;
  for (const Moved& m : {web, games, api}) {
    rows.push_back({{"id", std::to_string(++id)},
                    {"in", m.in},
                    {"out", m.out},
                    {"conns_active", id == 2 ? 0 : m.active},
                    {"flows_active", id == 2 ? m.active : 0},
                    {"conns_total", m.total},
                    {"err", {{"dns_failures", id == 3 ? 5 : 0}, {"emsgsize", 0}}}});
  }
  return {{"uptime_ms", uptime_ms},
          {"process", {{"fd_open", 12}, {"fd_limit", 1024}, {"rss_bytes", nullptr}}},
          {"r", rows}};
}

}  // namespace portunus::standalone
