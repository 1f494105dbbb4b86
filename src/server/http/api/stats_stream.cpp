#include "server/http/api/stats_stream.hpp"

#include "server/http/api/rule_json.hpp"

namespace portunus::server::http::api {

async::Task<std::string> StatsStream::next() {
  using Kind = rules::StatsSubscription::News::Kind;
  const rules::StatsSubscription::News news = co_await subscription_->next(keep_alive_);
  switch (news.kind) {
    case Kind::snapshot: {
      const rules::RuleView view{news.snapshot->row, &news.snapshot->numbers};
      co_return "event: stats\ndata: " + stats_frame_json(view, per_target_) + "\n\n";
    }
    case Kind::silence:
      co_return ": keepalive\n\n";
    case Kind::end:
      break;
  }
  co_return std::string();
}

}  // namespace portunus::server::http::api
