#include "common/model/traffic.hpp"

namespace portunus::model {

std::string_view reject_name(Reject reason) {
  switch (reason) {
    case Reject::conn_concurrent:
      return "conn_concurrent";
    case Reject::conn_rate:
      return "conn_rate";
    case Reject::udp_flow_rate:
      return "udp_flow_rate";
    case Reject::owner_concurrent:
      return "owner_concurrent";
    case Reject::owner_conn_rate:
      return "owner_conn_rate";
    case Reject::owner_udp_flow_rate:
      return "owner_udp_flow_rate";
  }
  return "";
}

}  // namespace portunus::model
