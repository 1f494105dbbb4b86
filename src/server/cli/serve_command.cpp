#include "server/cli/serve_command.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/base/version.hpp"
#include "common/config/environment.hpp"
#include "common/config/tls_files.hpp"
#include "common/log/logger.hpp"
#include "common/model/names.hpp"
#include "server/app/process.hpp"
#include "server/app/serve.hpp"

namespace portunus::server::cli {
namespace {

using config::process_environment;

/// The flag, else the environment; nothing for an empty one.
std::optional<std::string> find_seed(const ServeOptions& options) {
  if (!options.advertised_endpoint) {
    return config::non_empty(process_environment, "PORTUNUS_ADVERTISED_ENDPOINT");
  }
  if (options.advertised_endpoint->empty()) return std::nullopt;
  return options.advertised_endpoint;
}

/// The flag, else PORTUNUS_OPERATOR_HTTP_LISTEN unless blank.
std::optional<std::string> find_http_listen(const ServeOptions& options) {
  if (options.operator_http_listen) return options.operator_http_listen;
  auto value = process_environment("PORTUNUS_OPERATOR_HTTP_LISTEN");
  if (value && model::trim(*value).empty()) value.reset();
  return value;
}

void start_log(log::Format format) {
  const auto filter = config::non_empty(process_environment, "PORTUNUS_LOG");
  log::start({.format = format, .filter = filter.value_or("info")});
  log::log(log::Event::process_start, {{"binary", "portunus-server"},
                                       {"version", kVersion},
                                       {"pid", static_cast<std::int64_t>(::getpid())}});
}

/// The last line on stderr, after everything that was logged.
int serve_failed(const app::StartupFailure& failure) {
  log::stop();
  std::fprintf(stderr, "serve failed: %s\n", failure.text.c_str());
  return failure.exit_code;
}

}  // namespace

int run_serve(const ServeOptions& options) {
  constexpr int kUsage = 2;
  std::optional<net::Endpoint> http_listen;
  if (const auto text = find_http_listen(options)) {
    http_listen = net::Endpoint::parse(*text);
    if (!http_listen) {
      std::fprintf(stderr, "error: operator-http-listen: not an ip:port: %s\n", text->c_str());
      return kUsage;
    }
  }
  app::prepare_process();
  const auto dir = config::DataDir::locate(options.data_dir, process_environment);
  auto loaded = config::load_server_config(dir);
  start_log(loaded ? loaded->log_format : log::Format::json);
  if (!loaded) return serve_failed({app::kExitFailure, loaded.error().text()});
  if (http_listen) loaded->operator_http_listen = *http_listen;

  const auto served =
      app::serve({.dir = dir,
                  .config = std::move(*loaded),
                  .seed = find_seed(options),
                  .certificate_host = config::certificate_host(process_environment)});
  if (!served) return serve_failed(served.error());
  log::stop();
  return 0;
}

}  // namespace portunus::server::cli
