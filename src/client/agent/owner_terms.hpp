#pragma once

#include <map>
#include <string>

#include "client/agent/edge_actions.hpp"
#include "portunus/v1/quota.pb.h"

namespace portunus::client::agent {

/// The line of an action that has been carried out: whoever reads it may count on its effect.
void log_applied(const SetQuota& quota);
void log_applied(const RemoveQuota& quota);

/// Limits and quotas of owners as the server last stated them (control-wire section 7). They
/// outlive sessions; a replay states all of them again, and what it leaves out ends with it (5.1).
/// No I/O; one thread.
class OwnerTerms {
 public:
  void begin_session();
  void on_limit(const v1::OwnerRateLimitUpdate& update, Actions& out);
  void on_quota(const v1::TrafficQuotaUpdate& update, Actions& out);
  /// Takes out of force what this session has not stated.
  void end_replay(Actions& out);

 private:
  struct Terms {
    /// As last addressed, for the log.
    std::string client_name;
    /// Stated in this session.
    bool confirmed = false;
  };
  /// By owner: what is in force.
  using InForce = std::map<std::string, Terms>;

  InForce limits_;
  InForce quotas_;
};

}  // namespace portunus::client::agent
