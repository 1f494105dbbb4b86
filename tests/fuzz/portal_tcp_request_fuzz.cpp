// The Portal's TCP request: whole, in pieces, and anything that is none.

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>

#include "portal/protocol/tcp_request.hpp"
#include "tests/fuzz/fuzz_target.hpp"
#include "tests/fuzz/portal_specs.hpp"

namespace {

namespace protocol = portunus::portal::protocol;

struct Outcome {
  std::error_code error;
  std::size_t taken = 0;
  bool complete = false;
  std::string target;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read(const protocol::Spec& spec, protocol::Bytes bytes, std::size_t piece) {
  protocol::TcpRequestReader reader(spec);
  Outcome out;
  while (out.taken < bytes.size() && !reader.complete()) {
    const auto fed =
        reader.feed(bytes.subspan(out.taken, std::min(piece, bytes.size() - out.taken)));
    if (!fed) {
      Outcome failed;
      failed.error = fed.error().code;
      return failed;
    }
    FUZZ_CHECK(*fed > 0 && *fed <= piece);
    out.taken += *fed;
  }
  FUZZ_CHECK(reader.started() == (out.taken > 0));
  out.complete = reader.complete();
  if (out.complete) out.target = reader.target();
  return out;
}

}  // namespace

PORTUNUS_FUZZ_TARGET(portal_tcp_request)(portunus::fuzz::Input input) {
  const auto [spec, bytes] = portunus::fuzz::pick_spec(input);
  const Outcome whole = read(spec, bytes, std::max<std::size_t>(bytes.size(), 1));
  // The pieces in which it comes change nothing.
  for (const std::size_t piece : {1UL, 2UL, 3UL, 17UL})
    FUZZ_CHECK(read(spec, bytes, piece) == whole);
  FUZZ_CHECK(whole.taken <= protocol::kMaxTcpRequest);
  if (whole.complete) {
    // What is taken is the one frame of that target.
    const auto frame = protocol::encode_tcp_request(spec, whole.target);
    FUZZ_CHECK(frame.has_value() && std::ranges::equal(*frame, bytes.first(whole.taken)));
  }
  // The bytes as a target.
  const std::string target(bytes.begin(), bytes.end());
  const auto frame = protocol::encode_tcp_request(spec, target);
  FUZZ_CHECK(frame.has_value() == protocol::check_target(target).has_value());
  if (!frame) return;
  const Outcome again = read(spec, *frame, 5);
  FUZZ_CHECK(again.complete && again.taken == frame->size() && again.target == target);
}
