#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/agent/bundle.hpp"
#include "common/base/result.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::client::agent {

/// The environment variables that name a place; empty = unset.
struct BundlePlaces {
  std::string client_bundle;    ///< PORTUNUS_CLIENT_BUNDLE
  std::string xdg_config_home;  ///< XDG_CONFIG_HOME
  std::string home;             ///< HOME

  static BundlePlaces from_environment();
  /// Where the agent looks, in order.
  std::vector<std::string> search_order() const;
  /// Where `enroll` writes without --out.
  std::string enroll_target() const;
};

/// The first that exists.
std::optional<std::string> find_bundle(const std::vector<std::string>& candidates);

/// Reads and checks a bundle file; at most 1 MiB.
std::expected<Bundle, BundleRefusal> load_bundle(const std::string& path);

/// Replaces a bundle file in one step: a reader sees the old or the new one. What can fail for want
/// of rights or space is tried by prepare(), before a one-time code is spent.
class BundleWriter {
 public:
  BundleWriter() = default;
  BundleWriter(BundleWriter&&) = default;
  BundleWriter& operator=(BundleWriter&&) = default;
  /// Removes what was not committed.
  ~BundleWriter();

  /// Creates the parents and an empty temporary file beside `path` (a symbolic link is followed):
  /// mode 0600, or owner and mode of the file it will replace.
  static Result<BundleWriter> prepare(const std::string& path);
  /// Writes, syncs and renames.
  Result<> commit(std::string_view text);

 private:
  struct Temporary {
    std::string path;
    Temporary() = default;
    explicit Temporary(std::string p) : path(std::move(p)) {}
    Temporary(Temporary&& other) noexcept : path(std::exchange(other.path, {})) {}
    Temporary& operator=(Temporary&& other) noexcept {
      std::swap(path, other.path);
      return *this;
    }
  };
  std::string target_;
  Temporary temporary_;
  net::UniqueFd file_;
};

}  // namespace portunus::client::agent
