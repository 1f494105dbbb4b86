// Every fuzz target over its corpus, so that what fuzzing has found stays fixed in every build.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_target.hpp"
#include "tests/support/files.hpp"

namespace portunus::fuzz {

std::vector<Registered>& registered_targets() {
  static std::vector<Registered> targets;
  return targets;
}

namespace {

const std::filesystem::path kCorpus = PORTUNUS_FUZZ_CORPUS;

/// From memory of just that size, so that a read past the end is seen; as with libFuzzer, an empty
/// input has an address too.
void run(const Registered& target, std::string_view text) {
  const auto copy = std::make_unique<std::byte[]>(text.size());
  std::ranges::copy(std::as_bytes(std::span(text)), copy.get());
  target.run({copy.get(), text.size()});
}

struct Case {
  Registered target;
  std::filesystem::path file;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  for (const Registered& target : registered_targets()) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(kCorpus / target.name)) {
      files.push_back(entry.path());
    }
    std::ranges::sort(files);
    for (const auto& file : files) out.push_back({target, file});
  }
  return out;
}

class FuzzReplay : public testing::TestWithParam<Case> {};

TEST_P(FuzzReplay, the_target_holds_for_the_input_and_for_beginnings_of_it) {
  const std::string content = test::read_file(GetParam().file);
  ASSERT_TRUE(std::filesystem::is_regular_file(GetParam().file));
  run(GetParam().target, content);
  const std::size_t step = content.size() / 64 + 1;
  for (std::size_t size = 0; size < content.size(); size += step) {
    run(GetParam().target, std::string_view(content).substr(0, size));
  }
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name =
      std::string(info.param.target.name) + "_" + info.param.file.filename().string();
  std::ranges::replace_if(name, [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Corpus, FuzzReplay, testing::ValuesIn(cases()), case_name);

TEST(FuzzCorpus, every_target_has_one_and_every_one_has_its_target) {
  std::vector<std::string> targets;
  for (const Registered& target : registered_targets()) {
    targets.emplace_back(target.name);
    EXPECT_FALSE(std::filesystem::is_empty(kCorpus / target.name)) << target.name;
  }
  for (const auto& entry : std::filesystem::directory_iterator(kCorpus)) {
    EXPECT_EQ(std::ranges::count(targets, entry.path().filename().string()), 1) << entry.path();
  }
  EXPECT_FALSE(targets.empty());
}

}  // namespace
}  // namespace portunus::fuzz
