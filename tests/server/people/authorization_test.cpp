#include "server/people/authorization.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// The closed set of http-api 4.

namespace portunus::server::people {
namespace {

using model::GrantMiss;
using model::Protocol;
using store::ClientRef;
using store::GrantRow;

const ClientRef kEdge{"01J00000000000000000000001", "edge-01"};
const ClientRef kOther{"01J00000000000000000000002", "edge-02"};

GrantRow grant(std::optional<ClientRef> client, std::uint16_t first, std::uint16_t last,
               bool tcp = true, bool udp = false) {
  GrantRow row;
  row.client = std::move(client);
  row.listen_port_start = first;
  row.listen_port_end = last;
  row.tcp = tcp;
  row.udp = udp;
  return row;
}
Claim claim(std::uint16_t first, std::uint16_t last, Protocol protocol = Protocol::tcp) {
  return {kEdge, protocol, first, last};
}
std::optional<GrantMiss> miss(std::vector<GrantRow> grants, const Claim& wanted) {
  return find_miss(grants, wanted);
}

TEST(Authorization, HTTP_4_without_grants_the_client_is_missing) {
  EXPECT_EQ(miss({}, claim(80, 80)), GrantMiss::client);
  EXPECT_EQ(miss({grant(kOther, 1, 65'535, true, true)}, claim(80, 80)), GrantMiss::client);
}

TEST(Authorization, HTTP_4_the_first_miss_wins) {
  EXPECT_EQ(miss({grant(kEdge, 1, 10)}, claim(80, 80, Protocol::udp)), GrantMiss::protocol);
  EXPECT_EQ(miss({grant(kEdge, 1, 10)}, claim(80, 80)), GrantMiss::ports);
  // What another client's grant has helps nobody.
  EXPECT_EQ(miss({grant(kEdge, 1, 10), grant(kOther, 1, 65'535, true, true)},
                 claim(80, 80, Protocol::udp)),
            GrantMiss::protocol);
  // The nearest grant decides, in whatever order they come.
  EXPECT_EQ(
      miss({grant(kEdge, 1, 10), grant(kEdge, 1, 10, false, true)}, claim(80, 80, Protocol::udp)),
      GrantMiss::ports);
  EXPECT_EQ(
      miss({grant(kEdge, 1, 10, false, true), grant(kEdge, 1, 10)}, claim(80, 80, Protocol::udp)),
      GrantMiss::ports);
}

TEST(Authorization, HTTP_4_both_ends_are_inclusive) {
  const std::vector<GrantRow> grants = {grant(kEdge, 100, 200)};
  EXPECT_EQ(miss(grants, claim(100, 200)), std::nullopt);
  EXPECT_EQ(miss(grants, claim(100, 100)), std::nullopt);
  EXPECT_EQ(miss(grants, claim(200, 200)), std::nullopt);
  EXPECT_EQ(miss(grants, claim(99, 100)), GrantMiss::ports);
  EXPECT_EQ(miss(grants, claim(200, 201)), GrantMiss::ports);
  EXPECT_EQ(miss({grant(kEdge, 1, 65'535)}, claim(65'535, 65'535)), std::nullopt);
}

TEST(Authorization, HTTP_4_unions_never_count) {
  EXPECT_EQ(miss({grant(kEdge, 100, 150), grant(kEdge, 151, 200)}, claim(140, 160)),
            GrantMiss::ports);
  EXPECT_EQ(
      miss({grant(kEdge, 1, 10, false, true), grant(kEdge, 80, 80)}, claim(80, 80, Protocol::udp)),
      GrantMiss::ports);
}

TEST(Authorization, HTTP_4_a_star_is_every_client) {
  EXPECT_EQ(miss({grant(std::nullopt, 80, 80)}, claim(80, 80)), std::nullopt);
  EXPECT_EQ(find_miss(std::vector{grant(std::nullopt, 80, 80)},
                      Claim{{std::nullopt, "not-enrolled"}, Protocol::tcp, 80, 80}),
            std::nullopt);
}

TEST(Authorization, SQ_3_a_bare_name_is_not_the_client_renamed_to_it) {
  const ClientRef bare{std::nullopt, "edge-01"};
  EXPECT_EQ(miss({grant(bare, 80, 80)}, claim(80, 80)), GrantMiss::client);
  EXPECT_EQ(find_miss(std::vector{grant(bare, 80, 80)}, Claim{bare, Protocol::tcp, 80, 80}),
            std::nullopt);
  // The name of an enrolled client does not count, its id does.
  EXPECT_EQ(miss({grant(ClientRef{kEdge.client_id, "other-name"}, 80, 80)}, claim(80, 80)),
            std::nullopt);
}

}  // namespace
}  // namespace portunus::server::people
