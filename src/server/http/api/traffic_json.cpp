#include "server/http/api/traffic_json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <utility>

#include "server/http/api/errc.hpp"
#include "server/http/api/json_text.hpp"
#include "server/http/api/object_reader.hpp"

namespace portunus::server::http::api {
namespace {

Result<std::int64_t> seconds(const Query& query, std::string_view key) {
  const auto text = query.get(key);
  if (!text) return fail({Errc::invalid_query, std::string(key) + " is missing"});
  std::int64_t value = 0;
  const char* last = text->data() + text->size();
  const auto [end, ec] = std::from_chars(text->data(), last, value);
  if (ec != std::errc() || end != last) {
    return fail({Errc::invalid_query, std::string(key) + " is not in whole Unix seconds"});
  }
  return value;
}

}  // namespace

Result<traffic::HistoryRequest> decode_history(const Query& query) {
  const Result<std::int64_t> from = seconds(query, "from");
  if (!from) return fail(from.error());
  const Result<std::int64_t> to = seconds(query, "to");
  if (!to) return fail(to.error());
  traffic::HistoryRequest out;
  out.from = *from;
  out.to = *to;
  out.bucket = query.get("bucket");
  return out;
}

Result<std::optional<std::string>> decode_client_filter(const Query& query) {
  auto name = query.get("client_name");
  auto id = query.get("client_id");
  if (name && id) return fail({Errc::invalid_query, "client_name and client_id exclude another"});
  return name ? std::move(name) : std::move(id);
}

std::string history_json(const traffic::History& history) {
  // Ten thousand rows of numbers: written straight, because a tree of them would hold up the
  // event loop.
  fmt::memory_buffer text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, R"({{"bucket":"{}","samples":[)", traffic::bucket_name(history.bucket));
  const char* comma = "";
  for (const traffic::Sample& sample : history.samples) {
    fmt::format_to(out, R"({}{{"ts":{},"bytes_in":{},"bytes_out":{}}})", comma, sample.start,
                   sample.bytes_in, sample.bytes_out);
    comma = ",";
  }
  fmt::format_to(out, R"(],"total_bytes_in":{},"total_bytes_out":{}}})", history.total_bytes_in,
                 history.total_bytes_out);
  return fmt::to_string(text);
}

Result<std::optional<std::string>> decode_endpoint(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.text("advertised_endpoint"));
}

std::string endpoint_json(const auth::EndpointView& view) {
  AnswerJson effective;
  AnswerJson source;
  if (view.effective) {
    effective = view.effective->endpoint;
    source = auth::endpoint_source_name(view.effective->source);
  }
  return write(AnswerJson{{"override", text_or_null(view.override_endpoint)},
                          {"effective", effective},
                          {"source", source},
                          {"diagnostic", text_or_null(view.diagnostic)}});
}

}  // namespace portunus::server::http::api
