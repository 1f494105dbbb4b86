#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/traffic.hpp"
#include "server/quotas/budget.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::store {
class Connection;
}

namespace portunus::server::quotas {

/// What reports of one client have added and no transaction has booked yet: bytes by owner and by
/// the minute of their arrival. As reports arrive while one is being written, or while the store
/// refuses, their sums are kept, so that an edge can neither queue writes nor lose a byte. Of an
/// outage of over an hour the earliest minutes are kept as one.
class UnbookedUsage {
 public:
  struct Bytes {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    std::uint64_t total() const;
    Bytes& operator+=(const Bytes& other);
  };
  /// Start of the minute in Unix seconds, ascending.
  using Minutes = std::map<std::int64_t, Bytes>;

  void add(std::int64_t now, std::span<const model::OwnerUsage> usage);
  /// Takes back what could not be booked.
  void add(const UnbookedUsage& other);
  bool empty() const { return owners_.empty(); }
  const std::map<std::string, Minutes>& owners() const { return owners_; }

 private:
  std::map<std::string, Minutes> owners_;
};

/// What booking did for one owner.
struct Booked {
  std::string user_id;
  std::uint64_t bytes = 0;
  /// His quota as it stands afterwards; nothing without one.
  std::optional<store::QuotaRow> quota;
  Effect effect;
  /// The history could not be written; the quota does not mind (store-and-quotas 6.3).
  std::optional<Error> sample_error;
};

/// Books everything in one transaction: samples of all owners, usage of those with a quota, after
/// the rollover that may be due. The client is the one of that id, or its bare name if it is
/// deleted meanwhile. An error books nothing.
Result<std::vector<Booked>> book_usage(store::Connection& connection,
                                       const store::ClientRef& client, const UnbookedUsage& usage,
                                       std::int64_t now);

}  // namespace portunus::server::quotas
