#pragma once

#include <string>
#include <string_view>

#include "common/model/rule.hpp"

namespace portunus::server::rules {

/// What a connected client can do, from its Hello.
struct ClientCapabilities {
  bool udp = false;
  std::string version;  ///< empty = unknown
};

/// The way from the rules to the edges; `control` implements it. Domain executor; calls only queue
/// and never wait. Messages about one rule keep the order of these calls.
class RuleSink {
 public:
  virtual ~RuleSink() = default;
  virtual bool connected(std::string_view client_id) const = 0;
  /// Nothing while the client is not connected.
  virtual const ClientCapabilities* capabilities(std::string_view client_id) const = 0;
  /// False when there is no live session to queue to.
  virtual bool push(std::string_view client_id, std::string_view request_id,
                    const model::RuleSpec& rule) = 0;
  virtual bool remove(std::string_view client_id, std::string_view request_id, RuleId rule) = 0;
};

}  // namespace portunus::server::rules
