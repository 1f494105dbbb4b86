#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/log/limiter.hpp"
#include "common/log/logger.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

// The rules' log lines (observability 2).

/// audit.rule_push with outcome "sent".
void log_push_sent(const store::RuleRow& rule, std::string_view request_id);
/// audit.rule_push with its result; everything but "activated" is a warning.
void log_push_result(const store::RuleRow& rule, std::string_view request_id,
                     std::string_view outcome, std::string_view reason = {});
/// audit.rule_remove; a warning when the client could not be told.
void log_remove(const store::RuleRow& rule, std::string_view request_id, bool told);

/// The lines that an edge can cause at will; each kind is limited for each edge (observability 1).
class StatusEvents {
 public:
  explicit StatusEvents(const Clock& clock) : clock_(clock) {}

  void unmatched(std::string_view client_name, RuleId rule, std::string_view request_id);
  /// `rule_owner` is the client whose rule it is.
  void wrong_client(std::string_view client_name, RuleId rule, std::string_view request_id,
                    std::string_view rule_owner);

 private:
  using Limiters = std::map<std::string, log::Limiter, std::less<>>;

  void log(Limiters& limiters, std::string_view client_name, log::Event event,
           std::vector<log::Field> fields);

  const Clock& clock_;
  Limiters unmatched_;
  Limiters wrong_client_;
};

}  // namespace portunus::server::rules
