#include "server/app/data_store.hpp"

#include <utility>

#include "common/log/logger.hpp"
#include "server/store/errc.hpp"

namespace portunus::server::app {
namespace {

void warn_of_legacy_files(const config::DataDir& dir) {
  for (const char* name : {"tokens.json", "identity.json", "rules.json"}) {
    const auto path = dir.root / name;
    std::error_code ec;
    if (!std::filesystem::exists(path, ec)) continue;
    log::log(log::Event::legacy_file_ignored,
             {{"path", path.string()},
              {"hint", "all state is in state.db; this file is never read and can be removed"}});
  }
}

std::unexpected<StartupFailure> refuse_store(const config::DataDir& dir, const Error& error) {
  const std::string root = dir.root.string();
  if (error == store::Errc::in_use) {
    log::log(log::Event::store_in_use, {{"path", root}});
    return startup_failed("startup.store_in_use path=" + root + " store_in_use: " + error.detail,
                          kExitStoreInUse);
  }
  if (error == store::Errc::schema_too_new) {
    return startup_failed("startup.schema_version_too_new path=" + root + " " + error.detail,
                          kExitSchemaTooNew);
  }
  return startup_failed(error.text());
}

}  // namespace

Started<DataStore> open_data_store(const config::DataDir& dir) {
  if (const auto fs = config::probe_filesystem(dir.root)) {
    const std::string root = dir.root.string();
    log::log(log::Event::unsupported_filesystem, {{"path", root}, {"fs", *fs}});
    return startup_failed("startup.unsupported_filesystem path=" + root +
                          " fs=" + std::string(*fs));
  }
  if (const auto created = dir.create(); !created) return startup_failed(created.error().text());
  warn_of_legacy_files(dir);
  auto lock = store::StoreLock::acquire(dir.root);
  if (!lock) return refuse_store(dir, lock.error());
  auto opened = store::Store::open({.path = dir.database()});
  if (!opened) return refuse_store(dir, opened.error());
  return DataStore{std::move(*lock), std::move(*opened)};
}

}  // namespace portunus::server::app
