#include "server/http/api/request_json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/http/api/errc.hpp"

namespace portunus::server::http::api {
namespace {

using Json = nlohmann::json;

/// Takes the keys of one object out by type and remembers the first fault.
class ObjectReader {
 public:
  explicit ObjectReader(std::string_view body)
      : json_(Json::parse(body.begin(), body.end(), nullptr, false)) {
    if (json_.is_discarded()) {
      fault_.emplace(Errc::invalid_json);
    } else if (!json_.is_object()) {
      fault_.emplace(Errc::invalid_body, "not an object");
    }
  }

  std::optional<std::string> text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return refuse(key, "must be a string");
    return value->get<std::string>();
  }
  std::optional<bool> flag(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) return refuse(key, "must be true or false");
    return value->get<bool>();
  }
  template <class Int>
  std::optional<Int> integer(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) return refuse(key, "must be an integer");
    const bool fits = value->is_number_unsigned() ? std::in_range<Int>(value->get<std::uint64_t>())
                                                  : std::in_range<Int>(value->get<std::int64_t>());
    if (!fits) return refuse(key, "is out of range");
    return value->get<Int>();
  }
  /// Present and of that type, for keys whose content nobody reads yet.
  bool present(const char* key, Json::value_t type) {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (value->type() == type) return true;
    refuse(key, "has the wrong type");
    return false;
  }
  template <class T>
  T required(const char* key, std::optional<T> value) {
    if (!value) refuse(key, "is missing");
    return std::move(value).value_or(T{});
  }

  /// The first fault, or `value`.
  template <class T>
  Result<T> finish(T value) {
    if (fault_) return fail(*fault_);
    return value;
  }

 private:
  const Json* find(const char* key) const {
    if (fault_) return nullptr;
    const auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  std::nullopt_t refuse(const char* key, const char* why) {
    if (!fault_) fault_.emplace(Errc::invalid_body, std::string(key) + " " + why);
    return std::nullopt;
  }

  Json json_;
  std::optional<Error> fault_;
};

/// More would overflow the clock's arithmetic and outlives any HTTP client.
constexpr std::uint64_t kLongestAckSecs = 86'400;

}  // namespace

Result<EnrollBody> decode_enroll(std::string_view body) {
  ObjectReader reader(body);
  EnrollBody out;
  out.name = reader.required("name", reader.text("name"));
  out.address = reader.text("address");
  out.ttl_secs = reader.integer<std::int64_t>("ttl_secs").value_or(kDefaultTtlSecs);
  return reader.finish(std::move(out));
}

Result<std::int64_t> decode_ttl(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.integer<std::int64_t>("ttl_secs").value_or(kDefaultTtlSecs));
}

Result<std::string> decode_address(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.required("address", reader.text("address")));
}

Result<std::string> decode_client_name(std::string_view body) {
  ObjectReader reader(body);
  return reader.finish(reader.required("client_name", reader.text("client_name")));
}

Result<rules::PushRequest> decode_push(std::string_view body) {
  ObjectReader reader(body);
  rules::PushRequest push;
  push.client = reader.required("client", reader.text("client"));
  push.listen_port = reader.required("listen_port", reader.integer<std::uint16_t>("listen_port"));
  push.listen_port_end = reader.integer<std::uint16_t>("listen_port_end");
  push.target_host = reader.text("target_host");
  push.target_port = reader.integer<std::uint16_t>("target_port");
  push.target_port_end = reader.integer<std::uint16_t>("target_port_end");
  push.protocol = reader.text("protocol").value_or("tcp");
  push.prefer_ipv6 = reader.flag("prefer_ipv6");
  const std::uint64_t ack = reader.integer<std::uint64_t>("ack_timeout_secs").value_or(2);
  push.ack_timeout = std::chrono::seconds(std::min(ack, kLongestAckSecs));
  // Counts only beside `targets`, but is decoded always.
  reader.integer<std::uint32_t>("health_check_interval_secs");

  if (reader.present("targets", Json::value_t::array)) push.unavailable.emplace_back("targets");
  if (reader.present("sni_pattern", Json::value_t::string)) {
    push.unavailable.emplace_back("sni_pattern");
  }
  if (reader.present("rate_limit", Json::value_t::object)) {
    push.unavailable.emplace_back("rate_limit");
  }
  return reader.finish(std::move(push));
}

}  // namespace portunus::server::http::api
