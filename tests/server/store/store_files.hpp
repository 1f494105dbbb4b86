#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "server/store/connection.hpp"
#include "server/store/migrator.hpp"
#include "server/store/user_store.hpp"

namespace portunus::server::store {

// Stores as files, for the tests of backup, restore and reset.

inline constexpr SystemTime kFilesNow{std::chrono::seconds(1'700'000'000)};

inline Connection connect(const std::filesystem::path& path) {
  return Connection(path, Connection::Access::write, std::chrono::milliseconds(1000));
}

inline std::int64_t number(Connection& connection, std::string_view sql) {
  Query query(connection, sql);
  query.step();
  return query.integer(0);
}

/// What a file holds, read by a connection of its own.
inline std::int64_t number_in(const std::filesystem::path& path, std::string_view sql) {
  Connection connection = connect(path);
  return number(connection, sql);
}

/// A store as the release with the first `versions` migrations left it: one user.
inline void make_store(const std::filesystem::path& path, std::size_t versions) {
  Connection connection = connect(path);
  connection.configure();
  const auto made = migrate(connection, 0, embedded_migrations().first(versions), kFilesNow);
  ASSERT_TRUE(made) << made.error().text();
  connection.run_script(
      "INSERT INTO users (user_id, display_name, role, disabled, created_at) "
      "VALUES ('alice', 'Alice', 'superadmin', 0, 5)");
}

inline void make_store(const std::filesystem::path& path) {
  make_store(path, embedded_migrations().size());
}

inline void add_version(const std::filesystem::path& path, int version) {
  connect(path).run_script("INSERT INTO schema_migrations VALUES (" + std::to_string(version) +
                           ", 'later', 'now', 'x')");
}

/// The names in a directory, sorted.
inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// No file of this process may grow past `bytes`: what a full disk looks like to it.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small = before_;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  void (*signal_)(int);
  rlimit before_{};
};

}  // namespace portunus::server::store
