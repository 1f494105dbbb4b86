#include "server/store/store.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <future>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/base/assert.hpp"
#include "common/base/scope_exit.hpp"
#include "common/log/logger.hpp"
#include "server/store/connection.hpp"
#include "server/store/migrator.hpp"

namespace portunus::server::store {
namespace {

/// The connection of this store thread; other threads have none.
thread_local Connection* this_threads_connection = nullptr;

constexpr int kBeginAttempts = 2;

unsigned reader_count(unsigned wanted) {
  const unsigned connections = std::min(async::IoThreads::core_count(), 8U);
  return std::min(std::max(wanted, 1U), connections - 1);
}

void log_refusal(const std::filesystem::path& path, int on_disk, const Error& error) {
  if (error == Errc::schema_too_new) {
    log::log(log::Event::schema_too_new, {{"path", path.parent_path().string()},
                                          {"on_disk", on_disk},
                                          {"binary_supports", Store::supported_schema_version()}});
  } else if (error == Errc::not_a_database) {
    log::log(log::Event::store_corrupt,
             {{"path", path.string()},
              {"hint", "restore a backup: portunus-server restore --in <backup> --force"}});
  } else if (error == Errc::migration_failed) {
    log::log(log::Event::migration_failed, {{"path", path.string()}, {"error", error.detail}});
  }
}

}  // namespace

bool transaction_stands(const Connection& connection) {
  return connection.in_transaction();
}

class Store::Impl {
 public:
  explicit Impl(unsigned readers)
      : writer_thread("store-w", 1), reader_threads("store-r", readers) {}

  /// Opens every connection; the file is checked before anything is written to it.
  Result<> open(const StoreOptions& options);
  void start();
  Result<> transact(Connection& connection, Connection::Access access, const Body& body);

  async::IoThreads writer_thread;
  async::IoThreads reader_threads;
  std::unique_ptr<Connection> writer;
  std::vector<std::unique_ptr<Connection>> readers;
  std::atomic<unsigned> next_reader{0};
  std::atomic<std::uint64_t> busy{0};
  std::atomic<bool> closed{false};

 private:
  Result<> prepare_file(const StoreOptions& options, int& on_disk);
};

Result<> Store::Impl::prepare_file(const StoreOptions& options, int& on_disk) {
  writer =
      std::make_unique<Connection>(options.path, Connection::Access::write, options.busy_timeout);
  const Result<int> version = read_schema_version(*writer);
  if (!version) return fail(version.error());
  on_disk = *version;
  const int supported = supported_schema_version();
  if (on_disk > supported) {
    return fail({Errc::schema_too_new, "on_disk=" + std::to_string(on_disk) +
                                           " binary_supports=" + std::to_string(supported)});
  }
  log::log(log::Event::store_opened, {{"path", options.path.string()},
                                      {"schema_version", on_disk},
                                      {"target_version", supported}});
  writer->configure();
  return migrate(*writer, on_disk, embedded_migrations(), SystemClock::instance().now());
}

Result<> Store::Impl::open(const StoreOptions& options) {
  int on_disk = 0;
  const Result<> prepared = guarded([&] { return prepare_file(options, on_disk); });
  if (!prepared) {
    log_refusal(options.path, on_disk, prepared.error());
    return prepared;
  }
  return guarded([&]() -> Result<> {
    for (unsigned i = 0; i < reader_threads.size(); ++i) {
      readers.push_back(std::make_unique<Connection>(options.path, Connection::Access::read,
                                                     options.busy_timeout));
      readers.back()->configure();
    }
    log::log(log::Event::store_ready,
             {{"path", options.path.string()}, {"schema_version", supported_schema_version()}});
    return {};
  });
}

void Store::Impl::start() {
  const auto give = [](auto& context, Connection* connection) {
    boost::asio::post(context, [connection] { this_threads_connection = connection; });
  };
  give(writer_thread.context(0), writer.get());
  for (unsigned i = 0; i < reader_threads.size(); ++i) {
    give(reader_threads.context(i), readers[i].get());
  }
  writer_thread.start();
  reader_threads.start();
}

Result<> Store::Impl::transact(Connection& connection, Connection::Access access,
                               const Body& body) {
  const auto begin = [&]() -> Result<> {
    connection.begin(access);
    return {};
  };
  const auto run = [&]() -> Result<> {
    const Result<> done = body(connection);
    if (!done) return done;
    if (access == Connection::Access::write) connection.commit();
    return {};
  };
  // Also the end of every read, which keeps nothing, whatever its function did.
  const ScopeExit end([&] { connection.rollback(); });
  Result<> outcome;
  for (int attempt = 1;; ++attempt) {
    outcome = guarded(begin);
    if (outcome || outcome.error() != Errc::busy || attempt == kBeginAttempts) break;
    busy.fetch_add(1, std::memory_order_relaxed);
  }
  if (outcome) outcome = guarded(run);
  if (!outcome && outcome.error() == Errc::busy) busy.fetch_add(1, std::memory_order_relaxed);
  return outcome;
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  auto impl = std::make_unique<Impl>(reader_count(options.readers));
  const Result<> opened = impl->open(options);
  if (!opened) return fail(opened.error());
  impl->start();
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Store::~Store() {
  close();
}

void Store::close() {
  if (impl_->closed.exchange(true)) return;
  impl_->reader_threads.join();
  impl_->writer_thread.join();
  impl_->readers.clear();
  // A checkpoint that fails costs nothing: the log is replayed at the next opening.
  (void)guarded([&]() -> Result<> {
    impl_->writer->run_script("PRAGMA wal_checkpoint(TRUNCATE)");
    return {};
  });
  impl_->writer.reset();
}

bool Store::closed() const {
  return impl_->closed.load(std::memory_order_relaxed);
}

boost::asio::any_io_executor Store::writer_executor() {
  return impl_->writer_thread.context(0).get_executor();
}

boost::asio::any_io_executor Store::reader_executor() {
  const unsigned count = impl_->reader_threads.size();
  if (count == 0) return writer_executor();
  const unsigned next = impl_->next_reader.fetch_add(1, std::memory_order_relaxed);
  return impl_->reader_threads.context(next % count).get_executor();
}

void Store::write_later(std::function<Result<>(Connection&)> fn) {
  if (closed()) return;
  boost::asio::post(writer_executor(),
                    [this, fn = std::move(fn)] { (void)in_write_transaction(fn, true); });
}

Result<> Store::in_write_transaction(const Body& body, bool on_writer_thread) {
  return in_transaction(writer_executor(), body, true, on_writer_thread);
}

Result<> Store::in_read_transaction(const Body& body, bool on_reader_thread) {
  return in_transaction(reader_executor(), body, false, on_reader_thread);
}

Result<> Store::in_transaction(boost::asio::any_io_executor executor, const Body& body,
                               bool writing, bool on_own_thread) {
  const auto access = writing ? Connection::Access::write : Connection::Access::read;
  if (on_own_thread) return impl_->transact(*this_threads_connection, access, body);
  if (closed()) return fail(Errc::closed);
  PORTUNUS_ASSERT(this_threads_connection == nullptr);  // it would wait for itself
  std::packaged_task<Result<>()> task(
      [&] { return impl_->transact(*this_threads_connection, access, body); });
  auto outcome = task.get_future();
  boost::asio::post(executor, [&task] { task(); });
  return outcome.get();
}

int Store::supported_schema_version() {
  return embedded_migrations().back().version;
}
int Store::schema_version() const {
  return supported_schema_version();
}
std::uint64_t Store::busy_total() const {
  return impl_->busy.load(std::memory_order_relaxed);
}

}  // namespace portunus::server::store
