#include "client/agent/bundle_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "client/agent/errc.hpp"

namespace portunus::client::agent {
namespace {

constexpr std::size_t kMaxBytes = 1U << 20U;
/// More than any bundle takes: a token and a certificate.
constexpr off_t kReserved = 64 * 1024;
constexpr std::string_view kFileName = "client.bundle.json";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

std::string errno_text(std::string_view what) {
  return std::string(what) + ": " + std::error_code(errno, std::generic_category()).message();
}

std::unexpected<Error> unwritable(std::string_view what) {
  return fail({Errc::bundle_unwritable, errno_text(what)});
}

Result<std::string> read_file(const std::string& path) {
  const net::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail({Errc::bundle_unreadable, errno_text("open")});
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail({Errc::bundle_unreadable, errno_text("read")});
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kMaxBytes) return fail({Errc::bundle_unreadable, "larger than 1 MiB"});
  }
}

/// The file that a path leads to, so that a link stays a link.
std::string resolve(const std::string& path) {
  std::error_code ec;
  const auto real = std::filesystem::canonical(path, ec);
  return ec ? path : real.string();
}

/// False for "", "folder/" and the like: the rename, which comes after the code is spent, would
/// fail.
bool names_a_file(const std::string& path) {
  const auto name = std::filesystem::path(path).filename();
  return !name.empty() && name != "." && name != "..";
}

/// Takes the space that commit() will need, where the file system knows how to.
Result<> reserve(int file) {
  int failed = 0;
  do {
    failed = ::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, kReserved);
  } while (failed != 0 && errno == EINTR);
  const bool no_room = failed != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
  return no_room ? Result<>(unwritable("reserve")) : Result<>{};
}

/// Owner and mode of the file that is about to be replaced.
Result<> inherit(int file, const std::string& target) {
  struct stat old{};
  if (::stat(target.c_str(), &old) != 0) {
    if (errno == ENOENT) return {};
    return unwritable("stat " + target);
  }
  struct stat now{};
  if (::fstat(file, &now) != 0) return unwritable("stat");
  const bool same_owner = now.st_uid == old.st_uid && now.st_gid == old.st_gid;
  if (!same_owner && ::fchown(file, old.st_uid, old.st_gid) != 0) return unwritable("chown");
  if (::fchmod(file, old.st_mode & 07777U) != 0) return unwritable("chmod");
  return {};
}

}  // namespace

BundlePlaces BundlePlaces::from_environment() {
  return {variable("PORTUNUS_CLIENT_BUNDLE"), variable("XDG_CONFIG_HOME"), variable("HOME")};
}

std::vector<std::string> BundlePlaces::search_order() const {
  std::vector<std::string> out;
  if (!client_bundle.empty()) out.push_back(client_bundle);
  if (!xdg_config_home.empty()) {
    out.push_back(xdg_config_home + "/portunus/" + std::string(kFileName));
  }
  if (!home.empty()) out.push_back(home + "/.config/portunus/" + std::string(kFileName));
  out.push_back("./" + std::string(kFileName));
  return out;
}

std::string BundlePlaces::enroll_target() const {
  return BundlePlaces{{}, xdg_config_home, home}.search_order().front();
}

std::optional<std::string> find_bundle(const std::vector<std::string>& candidates) {
  for (const auto& path : candidates) {
    std::error_code ec;
    const auto status = std::filesystem::status(path, ec);
    if (std::filesystem::exists(status) && !std::filesystem::is_directory(status)) return path;
  }
  return std::nullopt;
}

std::expected<Bundle, BundleRefusal> load_bundle(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(BundleRefusal{text.error(), {}, {}});
  return parse_bundle(*text);
}

BundleWriter::~BundleWriter() {
  if (!temporary_.path.empty()) ::unlink(temporary_.path.c_str());
}

Result<BundleWriter> BundleWriter::prepare(const std::string& path) {
  BundleWriter out;
  out.target_ = resolve(path);
  std::error_code absent;  // which is no fault
  const auto there = std::filesystem::status(out.target_, absent);
  if (std::filesystem::is_directory(there)) {
    return fail({Errc::bundle_unwritable, path + " is a directory"});
  }
  // A device or a pipe is not to be replaced by a file.
  if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
    return fail({Errc::bundle_unwritable, path + " is not a file"});
  }
  if (!names_a_file(out.target_)) {
    return fail({Errc::bundle_unwritable, "\"" + path + "\" names no file"});
  }
  std::error_code ec;
  const auto parent = std::filesystem::path(out.target_).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, ec);
  if (ec) return fail({Errc::bundle_unwritable, parent.string() + ": " + ec.message()});

  std::string name = out.target_ + ".XXXXXX";
  out.file_.reset(::mkostemp(name.data(), O_CLOEXEC));  // created 0600
  if (!out.file_) return unwritable("create " + name);
  out.temporary_ = Temporary(name);
  if (auto inherited = inherit(out.file_.get(), out.target_); !inherited) {
    return fail(inherited.error());
  }
  if (auto reserved = reserve(out.file_.get()); !reserved) return fail(reserved.error());
  return out;
}

Result<> BundleWriter::commit(std::string_view text) {
  const auto size = static_cast<off_t>(text.size());
  while (!text.empty()) {
    const ssize_t n = ::write(file_.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unwritable("write");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  // What was reserved and is not needed goes back.
  if (::ftruncate(file_.get(), size) != 0) return unwritable("truncate");
  if (::fsync(file_.get()) != 0) return unwritable("fsync");
  if (::rename(temporary_.path.c_str(), target_.c_str()) != 0) return unwritable("rename");
  temporary_.path.clear();
  // The rename itself must survive a power loss too: the code behind it is spent.
  const auto parent = std::filesystem::path(target_).parent_path();
  const net::UniqueFd folder(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder && ::fsync(folder.get()) != 0 && errno != EINVAL) return unwritable("fsync folder");
  return {};
}

}  // namespace portunus::client::agent
