// portunus.toml: what is taken is rules that the engine can run, whatever the file looks like.

#include <set>
#include <string>

#include "common/model/rule.hpp"
#include "standalone/standalone_config.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace model = portunus::model;
namespace standalone = portunus::standalone;

void check_rule(const standalone::StandaloneRule& rule) {
  const model::RuleSpec& spec = rule.spec;
  FUZZ_CHECK(spec.id == standalone::rule_id_of(spec.label));
  FUZZ_CHECK(spec.listen_port >= 1 && spec.ports >= 1);
  FUZZ_CHECK(spec.listen_port + spec.ports - 1 <= 65535);
  FUZZ_CHECK(!spec.targets.empty());
  FUZZ_CHECK(spec.ports == 1 || spec.targets.size() == 1);
  FUZZ_CHECK(spec.target().port + spec.ports - 1 <= 65535);
  for (const auto& target : spec.targets) {
    FUZZ_CHECK(target.port >= 1);
    FUZZ_CHECK(model::parse_target_host(target.host) == target.host);
  }
  // Nothing that the schema cannot express (data-plane, vocabulary).
  FUZZ_CHECK(!spec.sni_pattern && !spec.rate_limit && !spec.health_check_interval_secs);
  FUZZ_CHECK(spec.owner_id.empty());
}

}  // namespace

PORTUNUS_FUZZ_TARGET(standalone_toml)(portunus::fuzz::Input input) {
  const auto config = standalone::parse_config(portunus::fuzz::text_of(input));
  if (!config) {
    FUZZ_CHECK(!config.error().empty());
    return;
  }
  FUZZ_CHECK(!config->rules.empty());
  FUZZ_CHECK(config->drain.count() >= 0);
  std::set<std::string> names;
  std::set<std::uint64_t> ids;
  for (const auto& rule : config->rules) {
    check_rule(rule);
    FUZZ_CHECK(names.insert(rule.spec.label).second);
    FUZZ_CHECK(ids.insert(rule.spec.id.value).second);
  }
}
