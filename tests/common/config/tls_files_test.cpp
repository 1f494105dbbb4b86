#include "common/config/tls_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/config/errc.hpp"
#include "common/config/file.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/temp_dir.hpp"

namespace portunus::config {
namespace {

class TlsFiles : public testing::Test {
 protected:
  TlsFilesOptions options(std::optional<std::string> seed = {}, bool serve = true) {
    return {temp / "server.crt", temp / "server.key", "edge-host", std::move(seed), serve};
  }
  std::string text(const std::string& name) { return read_file(temp / name).value(); }
  std::size_t backups() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(temp.path())) {
      count += entry.path().string().ends_with(".portunus.1700000000.bak") ? 1 : 0;
    }
    return count;
  }
  void write_operator_pair() {
    const auto pair = crypto::generate_self_signed("operator", "", clock.now()).value();
    ASSERT_TRUE(replace_file(temp / "server.crt", pair.certificate_pem, 0644));
    ASSERT_TRUE(replace_file(temp / "server.key", pair.key_pem, 0600));
  }

  test::TempDir temp;
  ManualClock clock;
  test::LogCapture logs;
};

TEST_F(TlsFiles, a_missing_pair_is_generated_once) {
  const auto first = prepare_tls_files(options("d.example.com"), clock);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(logs.count("tls.cert_generated", {first->fingerprint}), 1U);
  EXPECT_TRUE(first->names.cover("d.example.com"));
  EXPECT_TRUE(first->names.cover("edge-host"));
  EXPECT_EQ(text(".portunus-autocert"), "d.example.com");
  struct stat info;
  ASSERT_EQ(::stat((temp / "server.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);

  const auto second = prepare_tls_files(options("d.example.com"), clock);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->fingerprint, first->fingerprint);
  EXPECT_EQ(logs.lines().size(), 1U);
}

TEST_F(TlsFiles, a_changed_seed_replaces_a_generated_pair_and_keeps_the_old_one) {
  const auto first = prepare_tls_files(options("a.example.com"), clock).value();
  const auto second = prepare_tls_files(options("b.example.com"), clock).value();
  EXPECT_NE(second.fingerprint, first.fingerprint);
  EXPECT_TRUE(second.names.cover("b.example.com"));
  EXPECT_EQ(text(".portunus-autocert"), "b.example.com");
  EXPECT_EQ(text("server.crt.portunus.1700000000.bak"), first.pair.certificate_pem);
  EXPECT_EQ(text("server.key.portunus.1700000000.bak"), first.pair.key_pem);
  EXPECT_EQ(logs.count("tls.cert_regenerated",
                       {"b.example.com", first.fingerprint, second.fingerprint, "\"WARN\""}),
            1U);
}

TEST_F(TlsFiles, no_seed_and_commands_leave_a_generated_pair_alone) {
  const auto first = prepare_tls_files(options("a.example.com"), clock).value();
  EXPECT_EQ(prepare_tls_files(options(), clock)->fingerprint, first.fingerprint);
  EXPECT_EQ(prepare_tls_files(options("b.example.com", false), clock)->fingerprint,
            first.fingerprint);
  EXPECT_EQ(backups(), 0U);
}

TEST_F(TlsFiles, an_operators_pair_is_never_modified) {
  write_operator_pair();
  const std::string before = text("server.crt") + text("server.key");
  const auto loaded = prepare_tls_files(options("d.example.com"), clock);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(text("server.crt") + text("server.key"), before);
  EXPECT_EQ(logs.count("tls.operator_cert_in_use", {"d.example.com"}), 1U);
  EXPECT_EQ(backups(), 0U);
}

TEST_F(TlsFiles, CLI_5_half_of_an_operators_pair_is_refused_and_kept) {
  write_operator_pair();
  std::filesystem::remove(temp / "server.key");
  const auto loaded = prepare_tls_files(options(), clock);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::incomplete_pair);
  EXPECT_TRUE(std::filesystem::exists(temp / "server.crt"));
}

TEST_F(TlsFiles, CLI_5_half_of_a_generated_pair_is_made_again) {
  ASSERT_TRUE(prepare_tls_files(options(), clock));
  std::filesystem::remove(temp / "server.crt");
  EXPECT_TRUE(prepare_tls_files(options(), clock));
  EXPECT_EQ(logs.count("tls.cert_generated"), 2U);
}

TEST_F(TlsFiles, a_key_others_can_read_is_refused) {
  ASSERT_TRUE(prepare_tls_files(options(), clock));
  for (const mode_t mode : {0640U, 0604U, 0610U}) {
    ASSERT_EQ(::chmod((temp / "server.key").c_str(), mode), 0);
    const auto loaded = prepare_tls_files(options(), clock);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::key_mode);
    EXPECT_TRUE(loaded.error().text().contains("has mode 06")) << loaded.error().text();
    EXPECT_TRUE(loaded.error().text().contains("refuse to start"));
  }
}

TEST_F(TlsFiles, a_pair_torn_by_a_crash_is_replaced_only_when_it_is_ours) {
  ASSERT_TRUE(prepare_tls_files(options(), clock));
  const auto other = crypto::generate_self_signed("other", "", clock.now()).value();
  ASSERT_TRUE(replace_file(temp / "server.key", other.key_pem, 0600));
  EXPECT_TRUE(prepare_tls_files(options(), clock));
  EXPECT_EQ(backups(), 2U);

  ASSERT_TRUE(replace_file(temp / "server.key", other.key_pem, 0600));
  std::filesystem::remove(temp / ".portunus-autocert");
  EXPECT_FALSE(prepare_tls_files(options(), clock));
}

TEST_F(TlsFiles, unreadable_material_names_its_file) {
  ASSERT_TRUE(replace_file(temp / "server.crt", "junk", 0644));
  ASSERT_TRUE(replace_file(temp / "server.key", "junk", 0600));
  const auto loaded = prepare_tls_files(options(), clock);
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().text().contains("server.crt"));
}

TEST(CertificateHost, prefers_the_environment) {
  EXPECT_EQ(certificate_host([](const char*) { return std::optional<std::string>("h"); }), "h");
  EXPECT_FALSE(certificate_host([](const char*) { return std::optional<std::string>(); }).empty());
}

}  // namespace
}  // namespace portunus::config
