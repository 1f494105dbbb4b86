#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/async/io_threads.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace portunus::server::auth {

struct PasswordHasherOptions {
  unsigned threads = 2;
  /// Runs that are under way or wait, together. One takes some 25 ms of a core.
  unsigned max_jobs = 64;
};

/// Hashes and checks passwords on threads of its own, which yield to every other thread, so that a
/// storm of logins delays nothing else. Owns the threads. Used from one executor, on which results
/// arrive; its io_context outlives this. When the queue is full, a job is refused at once with
/// Errc::password_queue_full, whose detail is the seconds after which to try again. Destroyed once
/// nobody waits for a result.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordHasherOptions options = {});

  /// Errc::password_hash_failed, Errc::password_queue_full.
  async::Task<Result<std::string>> hash(Secret password);
  /// The same of a password that is to be set: the policy's errors first.
  async::Task<Result<std::string>> hash_new(Secret password);
  /// One run of Argon2 in every case: without a hash it is the dummy's, and the answer is false.
  async::Task<Result<bool>> verify(std::optional<std::string> phc, Secret password);

 private:
  template <class F>
  auto run(F work) -> async::Task<std::invoke_result_t<F>>;

  const PasswordHasherOptions options_;
  std::vector<unsigned> jobs_;  ///< per thread; outlives the threads
  async::IoThreads threads_;
};

}  // namespace portunus::server::auth
