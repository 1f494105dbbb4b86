// Rules from the wire: what is taken is a rule that the engine can run, and it survives the way
// back to the wire and in again.

#include <algorithm>
#include <string>

#include "common/model/rate_limit.hpp"
#include "common/model/rule.hpp"
#include "common/wire/rule_wire.hpp"
#include "portunus/v1/rule.pb.h"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace model = portunus::model;
namespace wire = portunus::wire;
namespace v1 = portunus::v1;

void check_spec(const model::RuleSpec& spec) {
  FUZZ_CHECK(spec.listen_port >= 1 && spec.ports >= 1);
  FUZZ_CHECK(spec.listen_port + spec.ports - 1 <= 65535);
  FUZZ_CHECK(!spec.targets.empty() && spec.targets.size() <= model::kMaxTargets);
  FUZZ_CHECK(spec.ports == 1 || (spec.targets.size() == 1 && !spec.listed));
  FUZZ_CHECK(spec.target().port + spec.ports - 1 <= 65535);
  for (const auto& target : spec.targets) {
    FUZZ_CHECK(target.port >= 1);
    FUZZ_CHECK(model::parse_target_host(target.host) == target.host);
    FUZZ_CHECK(!target.proxy || spec.protocol == model::Protocol::tcp);
  }
  if (spec.sni_pattern) {
    FUZZ_CHECK(spec.protocol == model::Protocol::tcp && spec.ports == 1);
    FUZZ_CHECK(model::parse_sni_pattern(*spec.sni_pattern) == *spec.sni_pattern);
  }
  if (spec.rate_limit) {
    FUZZ_CHECK(!spec.rate_limit->empty() && !model::check_rate_limit(*spec.rate_limit));
  }
}

std::string encoded(const model::RuleSpec& spec) {
  v1::Rule out;
  wire::rule_to_wire(spec, out);
  return out.SerializeAsString();
}

model::RuleSpec reread(const model::RuleSpec& spec) {
  v1::Rule out;
  wire::rule_to_wire(spec, out);
  const auto again = wire::rule_from_wire(out);
  FUZZ_CHECK(again);
  return *again;
}

}  // namespace

PORTUNUS_FUZZ_TARGET(rule_wire)(portunus::fuzz::Input input) {
  v1::Rule rule;
  if (!rule.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const auto spec = wire::rule_from_wire(rule);
  if (!spec) {
    FUZZ_CHECK(!spec.error().reason.empty());
    FUZZ_CHECK(spec.error().target_index <= model::kMaxTargets);
    return;
  }
  check_spec(*spec);
  // Only a foreign server sends a range with caps; ours has no form to write it in.
  if (spec->ports > 1 && spec->rate_limit) return;
  // Caps, patterns and headers travel as a list, whichever form they came in.
  const model::RuleSpec once = reread(*spec);
  model::RuleSpec expected = *spec;
  expected.listed = once.listed;
  FUZZ_CHECK(once == expected);
  FUZZ_CHECK(reread(once) == once);
  FUZZ_CHECK(encoded(once) == encoded(*spec));
}
