// Many edges in one process: real gRPC sessions over TLS, a connection each, that believe exactly
// one certificate. They bind no ports and carry no traffic; what is measured is the server.
//
//   edge_swarm enroll <ip:port> <certificate> <codes> <tokens> <at once>
//       redeems one code per line of <codes>; writes one token per line
//   edge_swarm run <ip:port> <certificate> <tokens> <report ms> <status ms> <threads>
//       reads "hold <n>" lines from stdin: the first n edges are connected and stay so. Writes a
//       JSON object per interval to stdout. Ends with stdin.

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/control/swarm_enroll.hpp"
#include "bench/control/swarm_shard.hpp"

namespace {

using namespace portunus::bench;
using std::chrono::milliseconds;

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "error: {}\n", what);
  std::exit(1);
}

[[noreturn]] void usage() {
  fmt::print(stderr,
             "usage: edge_swarm enroll <ip:port> <certificate> <codes> <tokens> <at once>\n"
             "       edge_swarm run <ip:port> <certificate> <tokens> <report ms> <status ms> "
             "<threads>\n");
  std::exit(2);
}

std::optional<std::size_t> number(std::string_view text, std::size_t low, std::size_t high) {
  std::size_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = ec == std::errc() && end == text.data() + text.size();
  if (!whole || value < low || value > high) return std::nullopt;
  return value;
}

std::size_t argument(std::string_view text, std::size_t low, std::size_t high) {
  const auto value = number(text, low, high);
  if (!value) usage();
  return *value;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) fail("cannot read " + path);
  return text.str();
}

std::vector<std::string> lines(const std::string& path) {
  std::istringstream text(contents(path));
  std::vector<std::string> out;
  for (std::string line; std::getline(text, line);) out.push_back(std::move(line));
  return out;
}

int run_enroll(const std::vector<std::string>& args) {
  const ServerAddress server{args[1], contents(args[2])};
  const auto at_once = static_cast<unsigned>(argument(args[5], 1, 64));
  const auto tokens = enroll(server, lines(args[3]), at_once);
  std::ofstream file(args[4]);
  bool all = true;
  for (const std::string& token : tokens) {
    file << token << '\n';
    all = all && !token.empty();
  }
  file.close();
  if (!file) fail("cannot write " + args[4]);
  return all ? 0 : 1;
}

/// The edges of all shards together.
class Swarm {
 public:
  Swarm(const SwarmSettings& settings, const std::vector<std::string>& tokens, std::size_t threads)
      : edges_(tokens.size()) {
    // Dealt out in turn, so that the first n of all are the first of each shard.
    std::vector<std::vector<std::string>> shares(threads);
    for (std::size_t i = 0; i < edges_; ++i) shares[i % threads].push_back(tokens[i]);
    for (std::size_t i = 0; i < threads; ++i) {
      shards_.push_back(
          std::make_unique<SwarmShard>(settings, std::move(shares[i]), i * 1'000'000));
    }
  }

  void hold(std::size_t count) {
    wanted_ = std::min(count, edges_);
    const std::size_t all = shards_.size();
    for (std::size_t i = 0; i < all; ++i) shards_[i]->hold((wanted_ + all - 1 - i) / all);
  }

  /// One JSON object.
  std::string status() {
    SwarmCounts sum;
    for (const auto& shard : shards_) sum.add(shard->counts());
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return fmt::format(
        R"({{"at_ms":{},"wanted":{},"connected":{},"replayed":{},"rules":{},"sessions":{},)"
        R"("lost":{},"refused":{},"reports":{},"replays":{},"pushes":{},"removals":{},)"
        R"("last_lost_ms":{},"last_replayed_ms":{},"answers":{},"answer_us_p50":{},)"
        R"("answer_us_p99":{},"late_us_p50":{},"late_us_p99":{},"cpu_seconds":{:.3f}}})",
        std::chrono::duration_cast<milliseconds>(now).count(), wanted_, sum.connected, sum.replayed,
        sum.rules, sum.sessions, sum.lost, sum.refused, sum.reports, sum.replays, sum.pushes,
        sum.removals, sum.last_lost_ms, sum.last_replayed_ms, sum.answers.count(),
        sum.answers.at(0.5), sum.answers.at(0.99), sum.late.at(0.5), sum.late.at(0.99),
        seconds(used.ru_utime) + seconds(used.ru_stime));
  }

 private:
  std::vector<std::unique_ptr<SwarmShard>> shards_;
  std::size_t edges_;
  std::size_t wanted_ = 0;
};

/// The commands that stand whole in `input`, carried out and taken out of it.
void obey(std::string& input, Swarm& swarm) {
  for (std::size_t end = input.find('\n'); end != std::string::npos; end = input.find('\n')) {
    const std::string_view line = std::string_view(input).substr(0, end);
    const auto count =
        line.starts_with("hold ") ? number(line.substr(5), 0, 1'000'000) : std::nullopt;
    if (!count) fail("unknown command " + std::string(line));
    swarm.hold(*count);
    input.erase(0, end + 1);
  }
}

int run_swarm(const std::vector<std::string>& args) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  SwarmSettings settings;
  settings.server = {args[1], contents(args[2])};
  settings.report_interval = milliseconds(argument(args[4], 100, 600'000));
  const milliseconds interval(argument(args[5], 50, 60'000));
  Swarm swarm(settings, lines(args[3]), argument(args[6], 1, 16));

  std::string input;
  auto next = Steady::now() + interval;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(next - Steady::now()).count();
    pollfd in{STDIN_FILENO, POLLIN, 0};
    if (left > 0 && ::poll(&in, 1, static_cast<int>(left)) > 0) {
      char bytes[256];
      const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
      if (got <= 0) return 0;
      input.append(bytes, static_cast<std::size_t>(got));
      obey(input, swarm);
    }
    if (Steady::now() < next) continue;
    next += interval;
    fmt::print("{}\n", swarm.status());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() == 6 && args[0] == "enroll") return run_enroll(args);
  if (args.size() == 7 && args[0] == "run") return run_swarm(args);
  usage();
}
