#include "dataplane/tcp/pipe_pool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <new>
#include <utility>

namespace portunus::dataplane::tcp {
namespace {

constexpr std::size_t kDefaultSoftPages = 16384;

}  // namespace

PipeBudget PipeBudget::from_host() {
  std::size_t pages = kDefaultSoftPages;
  std::ifstream file("/proc/sys/fs/pipe-user-pages-soft");
  if (std::size_t value = 0; file >> value) pages = value;
  if (pages == 0) return PipeBudget(std::numeric_limits<std::size_t>::max());
  return PipeBudget(pages / 2 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
}

bool PipeBudget::reserve(std::size_t bytes) {
  const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before <= limit_ && bytes <= limit_ - before) return true;
  release(bytes);
  return false;
}

PipePool::~PipePool() {
  for (auto& pipe : idle_) discard(std::move(pipe));
}

PipePool::Taken PipePool::take() {
  if (idle_.empty()) return make();
  Taken taken{std::move(idle_.back())};
  idle_.pop_back();
  return taken;
}

void PipePool::put(std::unique_ptr<Pipe> pipe) {
  if (idle_.size() < kIdleMax) {
    idle_.push_back(std::move(pipe));
  } else {
    discard(std::move(pipe));
  }
}

void PipePool::discard(std::unique_ptr<Pipe> pipe) {
  budget_.release(pipe->capacity);
}

PipePool::Taken PipePool::make() {
  Taken taken;
  std::unique_ptr<Pipe> pipe(new (std::nothrow) Pipe);
  int ends[2];
  if (!pipe || ::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return taken;
  pipe->read_end.reset(ends[0]);
  pipe->write_end.reset(ends[1]);
  // Within the budget the pipe may grow; beyond it stays as small as the kernel made it.
  if (budget_.reserve(kWanted)) {
    if (::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kWanted)) < 0) taken.resize_errno = errno;
    budget_.release(kWanted);
  }
  const int size = ::fcntl(ends[1], F_GETPIPE_SZ);
  pipe->capacity = size > 0 ? static_cast<std::size_t>(size) : kUsable;
  taken.default_bytes = pipe->capacity;
  if (pipe->capacity < kUsable) return taken;
  budget_.force(pipe->capacity);
  taken.pipe = std::move(pipe);
  return taken;
}

}  // namespace portunus::dataplane::tcp
