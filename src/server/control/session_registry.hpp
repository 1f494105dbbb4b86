#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "server/control/edge_session.hpp"

namespace portunus::server::control {

/// The one live session of each client (control-wire 5.2). Domain executor.
class SessionRegistry {
 public:
  /// Puts the session in place of an older one of the same client, which is returned: the caller
  /// ends it.
  std::shared_ptr<EdgeSession> add(std::shared_ptr<EdgeSession> session);
  /// Takes this very session out; a newer one of the same client stays. False when it was not in.
  bool remove(const EdgeSession& session);
  /// Null when the client has none.
  EdgeSession* find(std::string_view client_id) const;
  std::vector<std::shared_ptr<EdgeSession>> all() const;
  std::size_t size() const { return sessions_.size(); }

 private:
  std::map<std::string, std::shared_ptr<EdgeSession>, std::less<>> sessions_;
};

}  // namespace portunus::server::control
