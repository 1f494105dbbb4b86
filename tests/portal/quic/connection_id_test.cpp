#include "portal/quic/connection_id.hpp"

#include <gtest/gtest.h>

namespace portunus::portal::quic {
namespace {

TEST(PortalConnectionId, S8_the_first_byte_names_its_core_however_many_there_are) {
  for (const unsigned workers : {1U, 2U, 3U, 128U, 255U, ConnectionId::kMostWorkers}) {
    for (unsigned worker = 0; worker < workers; ++worker) {
      const ConnectionId id = ConnectionId::issue(worker, workers);
      EXPECT_EQ(owner(id.view()[0], workers), worker) << workers;
      EXPECT_EQ(id.view().size(), ConnectionId::kIssued);
    }
  }
}

}  // namespace
}  // namespace portunus::portal::quic
