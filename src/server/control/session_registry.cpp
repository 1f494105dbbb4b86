#include "server/control/session_registry.hpp"

#include <utility>

namespace portunus::server::control {

std::shared_ptr<EdgeSession> SessionRegistry::add(std::shared_ptr<EdgeSession> session) {
  std::shared_ptr<EdgeSession>& place = sessions_[session->identity().client_id];
  return std::exchange(place, std::move(session));
}

bool SessionRegistry::remove(const EdgeSession& session) {
  const auto it = sessions_.find(session.identity().client_id);
  if (it == sessions_.end() || it->second->identity().id != session.identity().id) return false;
  sessions_.erase(it);
  return true;
}

EdgeSession* SessionRegistry::find(std::string_view client_id) const {
  const auto it = sessions_.find(client_id);
  return it == sessions_.end() ? nullptr : it->second.get();
}

std::vector<std::shared_ptr<EdgeSession>> SessionRegistry::all() const {
  std::vector<std::shared_ptr<EdgeSession>> out;
  out.reserve(sessions_.size());
  for (const auto& [client, session] : sessions_) out.push_back(session);
  return out;
}

}  // namespace portunus::server::control
