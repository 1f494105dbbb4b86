#pragma once

#include <utility>

#include "server/people/credential_service.hpp"
#include "server/people/grant_service.hpp"
#include "server/people/user_service.hpp"

namespace portunus::server::people {

/// Users, their credentials and their grants, as the composition root owns them.
struct People {
  People(store::Store& store, const Clock& clock, HashPassword hash)
      : users(store, clock, std::move(hash)), credentials(store, clock), grants(store, clock) {}
  /// Wired before the first request.
  void set_listener(PeopleListener* listener) {
    users.set_listener(listener);
    grants.set_listener(listener);
  }

  UserService users;
  CredentialService credentials;
  GrantService grants;
};

}  // namespace portunus::server::people
