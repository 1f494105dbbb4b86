// What a real TLS library sends, taken from it at the time of the test.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "dataplane/sni/client_hello.hpp"
#include "tests/support/client_hello.hpp"

namespace portunus::dataplane::sni {
namespace {

struct Options {
  int min_version = TLS1_2_VERSION;
  int max_version = TLS1_3_VERSION;
  const char* name = nullptr;
  std::string alpn = {};
  long max_fragment = 16384;
};

/// The bytes that OpenSSL sends before it has heard anything.
std::string first_flight(const Options& options) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(), options.min_version);
  SSL_CTX_set_max_proto_version(context.get(), options.max_version);
  SSL_CTX_set_max_send_fragment(context.get(), options.max_fragment);
  SSL_CTX_set_alpn_protos(context.get(),
                          reinterpret_cast<const unsigned char*>(options.alpn.data()),
                          static_cast<unsigned>(options.alpn.size()));
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  if (options.name != nullptr) SSL_set_tlsext_host_name(ssl.get(), options.name);
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  return {data, static_cast<std::size_t>(size)};
}

TEST(OpensslHello, SNI_5_every_version_with_and_without_a_name) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Options options{.min_version = version, .max_version = version, .name = "Real.Example.com"};
    const std::string named = first_flight(options);
    ASSERT_GT(named.size(), 100u);
    for (std::size_t size = 0; size < named.size(); ++size) {
      ASSERT_EQ(parse_client_hello(test::byte_span(named).first(size)).state,
                Hello::State::incomplete);
    }
    const Hello hello = parse_client_hello(test::byte_span(named));
    EXPECT_EQ(hello.state, Hello::State::valid);
    EXPECT_EQ(hello.server_name, "real.example.com");

    options.name = nullptr;
    const Hello anonymous = parse_client_hello(test::byte_span(first_flight(options)));
    EXPECT_EQ(anonymous.state, Hello::State::valid);
    EXPECT_EQ(anonymous.server_name, "");
  }
}

TEST(OpensslHello, SNI_5_a_real_hello_in_several_records_is_malformed) {
  Options options{.name = "real.example.com"};
  for (int i = 0; i < 20; ++i) options.alpn += "\x1f" + std::string(31, static_cast<char>('a' + i));
  EXPECT_EQ(parse_client_hello(test::byte_span(first_flight(options))).state, Hello::State::valid);
  options.max_fragment = 512;
  const std::string split = first_flight(options);
  EXPECT_EQ(parse_client_hello(test::byte_span(split)).state, Hello::State::malformed);
}

}  // namespace
}  // namespace portunus::dataplane::sni
