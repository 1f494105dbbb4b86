#include "server/traffic/bucket.hpp"

namespace portunus::server::traffic {

std::string_view bucket_name(Bucket bucket) {
  switch (bucket) {
    case Bucket::minute:
      return "1m";
    case Bucket::hour:
      return "1h";
  }
  return {};
}

std::optional<Bucket> parse_bucket(std::string_view name) {
  for (const Bucket bucket : {Bucket::minute, Bucket::hour}) {
    if (bucket_name(bucket) == name) return bucket;
  }
  return std::nullopt;
}

std::int64_t retention(Bucket bucket) {
  switch (bucket) {
    case Bucket::minute:
      return 7 * kDay;
    case Bucket::hour:
      return 90 * kDay;
  }
  return 0;
}

}  // namespace portunus::server::traffic
