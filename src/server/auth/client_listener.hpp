#pragma once

#include <string_view>

namespace portunus::server::auth {

/// Hears of changed clients after the commit; the composition root passes it on to those who keep a
/// mirror, such as rules::RuleService. Domain executor; must not wait.
class ClientListener {
 public:
  virtual ~ClientListener() = default;
  /// The first enrollment of this client was redeemed; what was made for its bare name is bound to
  /// it from now on.
  virtual void on_client_enrolled(std::string_view client_id, std::string_view name) {
    on_client_changed(client_id, name);
  }
  /// The client has this name now; nothing else changed.
  virtual void on_client_changed(std::string_view client_id, std::string_view name) = 0;
  /// The client was deleted; what was bound to it is under its bare name again.
  virtual void on_client_removed(std::string_view client_id) = 0;
};

}  // namespace portunus::server::auth
