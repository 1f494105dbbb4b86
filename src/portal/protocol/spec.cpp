#include "portal/protocol/spec.hpp"

#include "common/base/hex.hpp"
#include "common/base/utf8.hpp"
#include "common/crypto/digest.hpp"
#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {
namespace {

/// `d(L, n)` of portal 5.
template <std::size_t N>
std::array<std::uint8_t, N> derived(const crypto::Sha256& prk, std::string_view label) {
  std::array<std::uint8_t, N> out{};
  crypto::hkdf_expand(prk, {as_bytes(label)}, out);
  return out;
}

}  // namespace

AuthOrder auth_order_from(Bytes seed) {
  constexpr AuthOrder kStart = {AuthField::magic, AuthField::nonce, AuthField::padding,
                                AuthField::tag};
  const AuthOrder order = shuffled(kStart, seed, 0);
  if (order != kStart) return order;
  return {AuthField::nonce, AuthField::padding, AuthField::tag, AuthField::magic};
}

Result<Spec> Spec::derive(std::string_view text) {
  if (text.empty()) text = kDefaultSpec;
  if (text.size() > kMaxSpec || !is_utf8(text)) return fail(Errc::bad_spec);
  const crypto::Sha256 prk = crypto::hmac_sha256(crypto::sha256(as_bytes(text)), {as_bytes(text)});

  Spec spec;
  spec.text_ = text;
  spec.id_ = base64url_encode(derived<8>(prk, "spec id"));
  spec.magic_ = derived<kMagicSize>(prk, "auth magic");
  spec.info_ = derived<32>(prk, "auth hmac info");
  spec.context_ = derived<32>(prk, "auth context");
  spec.auth_pad_key_ = derived<32>(prk, "auth padding key");
  spec.tcp_pad_key_ = derived<32>(prk, "tcp request padding key");

  const auto auth_pad = derived<2>(prk, "auth padding length");
  const unsigned value = auth_pad[0] * 256U + auth_pad[1];
  spec.auth_pad_len_ = static_cast<std::uint8_t>(1 + value % 255);
  spec.tcp_pad_len_ =
      static_cast<std::uint8_t>(derived<1>(prk, "tcp request padding length")[0] % 64);

  spec.auth_order_ = auth_order_from(derived<8>(prk, "auth frame layout"));
  const auto proxy_seed = derived<8>(prk, "proxy frame layout");
  spec.tcp_order_ =
      shuffled(TcpOrder{TcpField::version, TcpField::target, TcpField::padding}, proxy_seed, 0);
  spec.udp_order_ =
      shuffled(UdpOrder{UdpField::version, UdpField::type, UdpField::flow_id, UdpField::target},
               proxy_seed, 1);
  return spec;
}

void Spec::auth_padding(const Nonce& nonce, std::span<std::uint8_t> out) const {
  crypto::hkdf_expand(auth_pad_key_, {as_bytes("auth padding bytes"), nonce, {&auth_pad_len_, 1}},
                      out.first(auth_pad_len_));
}

void Spec::tcp_padding(std::string_view target, std::span<std::uint8_t> out) const {
  crypto::hkdf_expand(tcp_pad_key_,
                      {as_bytes("tcp request padding bytes"), as_bytes(target), {&tcp_pad_len_, 1}},
                      out.first(tcp_pad_len_));
}

}  // namespace portunus::portal::protocol
