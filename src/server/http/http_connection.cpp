#include "server/http/http_connection.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>

#include "common/base/scope_exit.hpp"
#include "server/http/domain_hop.hpp"
#include "server/http/errc.hpp"
#include "server/http/socket_deadline.hpp"
#include "server/http/stream_writer.hpp"

namespace portunus::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

using HeadParser = bhttp::request_parser<bhttp::empty_body>;
using BodyParser = bhttp::request_parser<bhttp::string_body>;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kLingerBytes = 16 * 1024;

/// What a peer is told to wait whose body found no room.
constexpr const char* kRetrySeconds = "1";

/// Splits the request target into path and query; false when it is neither "/…" nor an absolute
/// http URL. "*" becomes a path that no route has.
bool parse_target(std::string_view target, Request& request) {
  if (target == "*") {
    request.path = "*";
    return true;
  }
  if (target.starts_with("http://")) {
    const std::size_t slash = target.find('/', 7);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (!target.starts_with('/')) return false;
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  return true;
}

/// The only transfer coding is chunked: a request whose body ends elsewhere than we think would
/// make its body the next request. A status when it must be refused.
unsigned judge_coding(const HeadParser::value_type& head) {
  const auto count = head.count(bhttp::field::transfer_encoding);
  if (count == 0) return 0;
  if (head.version() == 10 || count > 1) return 400;
  return equal_ignoring_case(head[bhttp::field::transfer_encoding], "chunked") ? 0 : 501;
}

/// Whether a start line that the parser refused for its version names one, other than the two that
/// it takes. Method and target are well-formed, or it would not have come so far.
bool names_another_version(std::string_view received) {
  std::string_view line = received.substr(0, received.find_first_of("\r\n"));
  for (int words = 0; words < 2; ++words) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    line.remove_prefix(space + 1);
  }
  constexpr std::string_view kName = "HTTP/";
  const auto digit = [line](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  return line.size() == 8 && line.starts_with(kName) && digit(5) && line[6] == '.' && digit(7) &&
         line != "HTTP/1.0" && line != "HTTP/1.1";
}

/// "Sun, 22 Nov 2026 03:30:29 GMT" (RFC 9110 5.6.7), whatever the locale.
std::string http_date(std::time_t now) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

/// For what has no route yet: broken HTTP. No envelope, since no path is known.
Response plain_error(unsigned status) {
  std::string text(bhttp::obsolete_reason(static_cast<bhttp::status>(status)));
  return make_response(status, "text/plain; charset=utf-8", text + "\n");
}

}  // namespace

class HttpConnection::Impl final : public BodySource {
 public:
  Impl(asio::ip::tcp::socket socket, const ConnectionContext& context)
      : context_(context),
        socket_(std::move(socket)),
        deadline_(socket_),
        buffer_(context.options.header_limit + kLingerBytes),
        held_(context.bodies) {}

  async::Task<> run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    beast::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto peer = socket_.remote_endpoint(ignored);
    sockaddr_storage raw{};
    std::memcpy(&raw, peer.data(), peer.size());
    if (const auto endpoint = net::Endpoint::from_sockaddr(raw)) peer_ = *endpoint;
    bool more = true;
    while (more && !stopping_) more = co_await serve_one();
    if (linger_ && !aborted_) co_await linger();
    close();
  }

  Hold hold(std::chrono::steady_clock::time_point now) const {
    if (idle_) return Hold::idle;
    if (!in_request_) return Hold::unanswered;
    if (peer_turn_ && now - *peer_turn_ >= context_.options.slow_after) return Hold::slow;
    return streamer_ ? Hold::streaming : Hold::busy;
  }

  void stop() {
    // Asked again, it must not start a deadline anew.
    if (std::exchange(stopping_, true)) return;
    if (!in_request_) cancel();
    if (streamer_) streamer_->stop();
    // A request counts as in work once it is complete; a slow body must not hold up the end, and
    // neither must a peer that does not take its answer.
    if (reading_body_ || writing_) deadline_.set(context_.options.stop_body_timeout);
  }

  void abort() {
    stopping_ = true;
    aborted_ = true;
    if (streamer_) streamer_->stop();
    close();
  }

  async::Task<Result<std::string>> read() override {
    // Called by the handler, on its executor; the bytes are read on ours.
    const HttpOptions& options = context_.options;
    return hop_to(socket_.get_executor(), read_body(options.body_limit, options.body_timeout));
  }

 private:
  void cancel() {
    beast::error_code ignored;
    socket_.cancel(ignored);
  }
  void close() {
    deadline_.clear();
    beast::error_code ignored;
    socket_.close(ignored);
  }

  /// True when another request may follow.
  async::Task<bool> serve_one() {
    const bool arrived = co_await wait_for_request();
    if (!arrived) co_return false;

    head_.emplace();
    head_->header_limit(context_.options.header_limit);
    head_->body_limit(boost::none);  // judged when the body is asked for
    deadline_.set(context_.options.header_timeout);
    const beast::error_code ec = co_await read_head();
    if (ec) {
      if (const unsigned status = refusal(ec)) co_await refuse(status);
      co_return false;
    }
    Request request;
    if (const unsigned status = take_head(request)) {
      co_await refuse(status);
      co_return false;
    }
    const bool head_only = request.method == Method::head;
    in_request_ = true;
    deadline_.clear();
    Response response = co_await answer(std::move(request));

    const bool reusable = co_await skip_body();
    held_.release();
    const bool keep = keep_alive_ && reusable && !stopping_;
    linger_ = !reusable;
    const bool more = response.stream ? co_await write_stream(std::move(response), head_only, keep)
                                      : co_await write(std::move(response), head_only, keep);
    in_request_ = false;
    co_return more;
  }

  /// Beast's own reading ends with the header alone, however many fields come before that, and the
  /// parser's limit holds for a single one. So we read here, where the sum can be looked at.
  async::Task<beast::error_code> read_head() {
    std::size_t total = 0;
    while (true) {
      beast::error_code ec;
      const std::size_t used = head_->put(buffer_.cdata(), ec);
      buffer_.consume(used);
      total += used;
      if (total > context_.options.header_limit) co_return bhttp::error::header_limit;
      if (ec && ec != bhttp::error::need_more) co_return ec;
      if (head_->is_header_done()) co_return beast::error_code{};
      const auto [failed, n] =
          co_await socket_.async_read_some(buffer_.prepare(kReadBytes), async::kTuple);
      if (failed) co_return failed;
      buffer_.commit(n);
    }
  }

  /// With a start line that failed as its beginning.
  std::string_view unread() const {
    const auto bytes = buffer_.cdata();
    return {static_cast<const char*>(bytes.data()), bytes.size()};
  }

  async::Task<bool> wait_for_request() {
    if (buffer_.size() > 0) co_return true;
    // What a large request has made of it is not kept for every idle connection.
    if (buffer_.capacity() > context_.options.header_limit) buffer_.shrink_to_fit();
    idle_ = true;
    deadline_.set(context_.options.idle_timeout);
    const auto [ec, n] =
        co_await socket_.async_read_some(buffer_.prepare(kReadBytes), async::kTuple);
    idle_ = false;
    if (ec || stopping_) co_return false;
    buffer_.commit(n);
    co_return true;
  }

  /// The status a failed header deserves, 0 when nobody is there to read it.
  unsigned refusal(const beast::error_code& ec) const {
    if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow) return 431;
    if (deadline_.passed()) return 408;
    if (ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message) return 0;
    if (ec == bhttp::error::bad_version && names_another_version(unread())) return 505;
    return ec.category() == bhttp::make_error_code(bhttp::error::bad_method).category() ? 400U : 0U;
  }

  /// Fills the request from the parsed header; a status when it must be refused.
  unsigned take_head(Request& request) {
    const auto& head = head_->get();
    if (head.version() == 11 && head.count(bhttp::field::host) != 1) return 400;
    if (const unsigned status = judge_coding(head)) return status;
    if (!parse_target(head.target(), request)) return 400;
    request.method_text = head.method_string();
    request.method = parse_method(request.method_text);
    for (const auto& field : head) {
      request.headers.push_back({field.name_string(), field.value()});
    }
    request.peer = peer_;
    request.body = this;
    keep_alive_ = head_->keep_alive();
    chunks_ = head.version() == 11;
    body_taken_ = false;
    announced_ = head_->chunked() || head_->content_length().value_or(0) > 0;
    expects_continue_ =
        head.version() == 11 && equal_ignoring_case(head[bhttp::field::expect], "100-continue");
    return 0;
  }

  async::Task<Response> answer(Request request) {
    try {
      co_return co_await hop_to(context_.domain, context_.handler(std::move(request)));
    } catch (...) {
      // A fault of ours costs this request, not the process; nothing of it reaches the peer.
      co_return error_envelope(500, "internal", "internal");
    }
  }

  async::Task<Result<std::string>> read_body(std::uint64_t limit,
                                             std::chrono::milliseconds patience) {
    if (!announced_) co_return std::string();
    if (head_->content_length().value_or(0) > limit) co_return fail(Errc::body_too_large);
    const HttpOptions& options = context_.options;
    reading_body_ = true;
    peer_turn_ = std::chrono::steady_clock::now();
    deadline_.set(stopping_ ? options.stop_body_timeout : patience);
    if (std::exchange(expects_continue_, false)) {
      constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(socket_, asio::buffer(kContinue), async::kTuple);
    }
    body_taken_ = true;
    BodyParser parser(std::move(*head_));
    parser.body_limit(limit);
    parser.eager(false);  // else what came of a chunk counts only when the next one has begun
    beast::error_code ec;
    bool fits = true;
    while (!ec && fits && !parser.is_done()) {
      const auto [error, n] =
          co_await bhttp::async_read_some(socket_, buffer_, parser, async::kTuple);
      ec = error;
      fits = held_.grow_to(parser.get().body().size());
    }
    reading_body_ = false;
    peer_turn_.reset();
    deadline_.clear();
    if (!fits) co_return fail({Errc::bodies_too_large, kRetrySeconds});
    if (!ec) {
      announced_ = false;
      co_return std::move(parser.get().body());
    }
    if (ec == bhttp::error::body_limit) co_return fail(Errc::body_too_large);
    if (deadline_.passed()) co_return fail(Errc::body_timeout);
    co_return fail(Errc::body_malformed);
  }

  /// After the answer is known: false when bytes of this request are still to come.
  async::Task<bool> skip_body() {
    if (!announced_) co_return true;
    if (body_taken_ || expects_continue_) co_return false;
    const HttpOptions& options = context_.options;
    const Result<std::string> rest = co_await read_body(options.skip_limit, options.skip_timeout);
    co_return rest.has_value();
  }

  async::Task<> refuse(unsigned status) {
    linger_ = true;
    co_await write(plain_error(status), false, false);
  }

  /// True when the connection may go on.
  async::Task<bool> write(Response response, bool head_only, bool keep) {
    const bool bodiless = response.status == 204 || response.status == 304;
    bhttp::response<bhttp::string_body> message(bhttp::status::ok, 11);
    fill_head(message, response, keep);
    if (!bodiless) message.content_length(response.body.size());
    if (!head_only && !bodiless) message.body() = std::move(response.body);

    bhttp::response_serializer<bhttp::string_body> serializer(message);
    peer_turn_ = std::chrono::steady_clock::now();
    begin_write();
    const ScopeExit written([this] {
      writing_ = false;
      peer_turn_.reset();
    });
    if (head_only || bodiless) {
      const auto [ec, n] = co_await bhttp::async_write_header(socket_, serializer, async::kTuple);
      co_return !ec && keep;
    }
    while (!serializer.is_done()) {
      const auto [ec, n] = co_await bhttp::async_write_some(socket_, serializer, async::kTuple);
      if (ec) co_return false;
      // Who takes his answer gets it, as long as the drain lasts.
      if (stopping_) begin_write();
    }
    co_return keep;
  }
  void begin_write() {
    writing_ = true;
    const HttpOptions& options = context_.options;
    deadline_.set(stopping_ ? options.stop_body_timeout : options.write_timeout);
  }

  /// The same for a body without a known end; without chunks the connection's end is its end.
  async::Task<bool> write_stream(Response response, bool head_only, bool keep) {
    keep = keep && chunks_;
    streamer_.emplace(socket_, deadline_, buffer_, context_.domain, context_.options,
                      std::move(response.stream));
    if (stopping_) streamer_->stop();  // it was asked before there was a stream
    bhttp::response<bhttp::empty_body> message(bhttp::status::ok, 11);
    fill_head(message, response, keep);
    if (chunks_) message.chunked(true);
    bhttp::response_serializer<bhttp::empty_body> serializer(message);
    begin_write();
    const auto [ec, n] = co_await bhttp::async_write_header(socket_, serializer, async::kTuple);
    writing_ = false;
    deadline_.clear();
    bool good = !ec;
    if (good && !head_only) {
      using Framing = StreamWriter::Framing;
      // A stop that came while the header was written has closed the stream already.
      good = co_await streamer_->run(chunks_ ? Framing::chunked : Framing::until_close);
    }
    streamer_.reset();
    co_return good&& keep && !stopping_;
  }

  template <class Message>
  static void fill_head(Message& message, const Response& response, bool keep) {
    message.result(response.status);
    for (const Header& header : response.headers) message.insert(header.name, header.value);
    message.set(bhttp::field::date, http_date(std::time(nullptr)));
    message.set(bhttp::field::connection, keep ? "keep-alive" : "close");
  }

  /// Unread bytes would turn the close into a reset, which can overtake the answer.
  async::Task<> linger() {
    beast::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    deadline_.set(context_.options.linger_timeout);
    buffer_.clear();
    std::uint64_t rest = 4 * context_.options.body_limit;
    while (rest > 0) {
      const auto [ec, n] =
          co_await socket_.async_read_some(buffer_.prepare(kLingerBytes), async::kTuple);
      if (ec || aborted_) break;
      rest -= std::min<std::uint64_t>(rest, n);
    }
  }

  const ConnectionContext& context_;
  asio::ip::tcp::socket socket_;
  SocketDeadline deadline_;
  /// What is not parsed yet. Bounded, because Beast waits for the whole of a chunk's extensions or
  /// of the fields behind the last chunk, which no other limit holds for.
  beast::flat_buffer buffer_;
  net::Endpoint peer_;
  BodyBudget::Share held_;          ///< from the first byte of a body until its request is answered
  std::optional<HeadParser> head_;  ///< of the request being served
  std::optional<StreamWriter> streamer_;
  /// Since when the peer has been due to send a body or to take an answer.
  std::optional<std::chrono::steady_clock::time_point> peer_turn_;
  bool chunks_ = false;      ///< the peer knows them
  bool announced_ = false;   ///< its body has not been read to the end
  bool body_taken_ = false;  ///< somebody has begun to read it
  bool reading_body_ = false;
  bool writing_ = false;  ///< an answer, or the header of a streamed one
  bool expects_continue_ = false;
  bool keep_alive_ = false;
  bool idle_ = false;
  bool in_request_ = false;  ///< from the end of a header to the end of its answer
  bool stopping_ = false;
  bool aborted_ = false;
  bool linger_ = false;
};

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, const ConnectionContext& context)
    : impl_(std::make_unique<Impl>(std::move(socket), context)) {}
HttpConnection::~HttpConnection() = default;

async::Task<> HttpConnection::run() {
  return impl_->run();
}
Hold HttpConnection::hold(std::chrono::steady_clock::time_point now) const {
  return impl_->hold(now);
}
void HttpConnection::stop() {
  impl_->stop();
}
void HttpConnection::abort() {
  impl_->abort();
}

}  // namespace portunus::server::http
