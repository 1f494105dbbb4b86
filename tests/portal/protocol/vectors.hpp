#pragma once

#include <array>
#include <string_view>

#include "portal/protocol/spec.hpp"

namespace portunus::portal::protocol {

/// The test vectors of the contract (portal 7): key `secret`, nonce 32 x 07, TCP target
/// example.com:443, flow id 0102030405060708, UDP target x.test:53.
struct Vector {
  std::string_view spec, id, magic;
  AuthOrder auth_order;
  TcpOrder tcp_order;
  UdpOrder udp_order;
  unsigned auth_pad, tcp_pad;
  std::string_view auth, tcp, uot;      ///< hex
  std::array<std::string_view, 3> udp;  ///< headers of types 1, 2, 3
};

// clang-format off
inline constexpr Vector kVectors[] = {
    {"auto", "Vk3bOdE4Udc", "d065c573fe8427ef",
     {AuthField::tag, AuthField::magic, AuthField::padding, AuthField::nonce},
     {TcpField::target, TcpField::version, TcpField::padding},
     {UdpField::version, UdpField::type, UdpField::target, UdpField::flow_id},
     5, 60,
     "33e07eceb833c31f41bea81b0c57a48d0745d1fc22df836733e99316d7ead83ed065c573fe8427ef058"
     "b0eb2d90a0707070707070707070707070707070707070707070707070707070707070707",
     "000f6578616d706c652e636f6d3a343433013c1526b9b947228779cfc539fe4681bcb5d1e20efa2bcb9"
     "f89eda5b473625c3c6b7fb12499fd33edfefb1934c9ae0bfc0e849f4c94814f4f2f9ae782e8",
     "0015756f742e6e6f77686572652e696e76616c69643a30013ccf087f8877050c7017ebf95e64a190abb"
     "1bcbd4926b88f324e05b2b2a600b5422c9cba87a1c02ca39992bfc5e167f630afee19ed0cddf361177a"
     "0c1e",
     {"01010009782e746573743a35330102030405060708",
      "01020009782e746573743a35330102030405060708",
      "01030009782e746573743a35330102030405060708"}},
    {"edge-a", "aSQ8mee5Jkw", "44dfe8d3da0bdf90",
     {AuthField::tag, AuthField::padding, AuthField::magic, AuthField::nonce},
     {TcpField::padding, TcpField::version, TcpField::target},
     {UdpField::target, UdpField::version, UdpField::type, UdpField::flow_id},
     30, 50,
     "7a3ac56073e9078855dd794539613930414449cff9b1bc4d9a7a417026654fd71e45f46ff130d784382"
     "3958bb0fc0e8eebd66a60e5fab1f83233cb5e4e8c4344dfe8d3da0bdf90070707070707070707070707"
     "0707070707070707070707070707070707070707",
     "321e7800dfe8345ac8f3c1897d243ec10cea6218a101531221c227da14f0242f079004bf8575f00e6a2"
     "ff9c48a932410fe434601000f6578616d706c652e636f6d3a343433",
     "32cbfe746efab5807b59386166675dcbb1d4cfdd9bd88253071d72e1a1c7edb9ec767d043d8277be738"
     "f6e4c875a7a71b33dc6010015756f742e6e6f77686572652e696e76616c69643a30",
     {"0009782e746573743a353301010102030405060708",
      "0009782e746573743a353301020102030405060708",
      "0009782e746573743a353301030102030405060708"}},
    {"nightfall", "Fnz3FX_yO9U", "2c2460a43b02238a",
     {AuthField::tag, AuthField::padding, AuthField::magic, AuthField::nonce},
     {TcpField::target, TcpField::version, TcpField::padding},
     {UdpField::target, UdpField::version, UdpField::type, UdpField::flow_id},
     224, 9,
     "03c6127a7973f6bc70b5386ba3d699628e98a09ab0acf6cf4b1bdf0339726ee4e06e5c3220842641fa6"
     "5fa8e6f5140ed31066a3d4a0414aebf1843550e6a60128eedfa40999c18cffb2f5dabf5a7a618b9cf16"
     "4f1574f803b03a1ad644362cb303e76d654fb5c642876113b40645fae37dbde5ac7aa9be10a0635648c"
     "02db348d48e8afc922cd9fe9e57efd49f5a15d8276c8b865d6f9786f8990653183bb15c851e6c9438cd"
     "8220f99ba1824c9dc54de60101671b9a3edf58b8a58d40223b074a487606aab5123fdb6879323510e7c"
     "0a2b3cb4347f377fe3c9cf12c704ca7a9e5fe5fe5517822ca76fd04254c6fbcbeb5d3dab122e7543f89"
     "e15e3ea660e0f1ca2c2460a43b02238a070707070707070707070707070707070707070707070707070"
     "7070707070707",
     "000f6578616d706c652e636f6d3a343433010918a45a3d54a5edcc0d",
     "0015756f742e6e6f77686572652e696e76616c69643a300109f3c56541f71643510c",
     {"0009782e746573743a353301010102030405060708",
      "0009782e746573743a353301020102030405060708",
      "0009782e746573743a353301030102030405060708"}},
    {"x", "fMlSgzQLStw", "a3ded1477e0d11df",
     {AuthField::nonce, AuthField::tag, AuthField::padding, AuthField::magic},
     {TcpField::target, TcpField::version, TcpField::padding},
     {UdpField::flow_id, UdpField::target, UdpField::type, UdpField::version},
     56, 43,
     "0707070707070707070707070707070707070707070707070707070707070707ba82fd365c35fefa63b"
     "a1bc09d2b28d99b9cb0b2382a042ac36ef48841423825383327404ef1e770aa5a8d728201c549a33425"
     "c657f47e067a29e9c292a313bc79108393bc2f78df614f255d38c80793ea6c5c35e5d871030da3ded14"
     "77e0d11df",
     "000f6578616d706c652e636f6d3a343433012b10c773cb734d3b86cb778ef1fbab0750e99338ced29dd"
     "6d6ce0a5d2f791450202d9d973e4fa66e0c212a43",
     "0015756f742e6e6f77686572652e696e76616c69643a30012b06fecbba9ae7ba6dd5c2b19176c7a21b9"
     "7a49aa4813d8c208c24bc0e0cb44e037fa64f11d105321c3b7d9d",
     {"01020304050607080009782e746573743a35330101",
      "01020304050607080009782e746573743a35330201",
      "01020304050607080009782e746573743a35330301"}},
    {"spec-68", "7vcjpvCWShY", "ecb1b96764561d18",
     {AuthField::nonce, AuthField::padding, AuthField::tag, AuthField::magic},
     {TcpField::padding, TcpField::version, TcpField::target},
     {UdpField::type, UdpField::version, UdpField::target, UdpField::flow_id},
     98, 0,
     "070707070707070707070707070707070707070707070707070707070707070762a6cc163a737b491e8"
     "659f9ce4d600eb65b395c7a7965959d53a1995c3007804bce837080ca88fb36160b8d8a351dd1e79c0b"
     "ef79da42cb034fdae895848cb80fc689d35bafce4d9dfabdde01454a0ddb6d5207e192abe084ec9be55"
     "993702613a5041d40036777a6f8e16edb6cd31985b6a66ca14678140af2dcd5390989699a48d4ecb1b9"
     "6764561d18",
     "0001000f6578616d706c652e636f6d3a343433",
     "00010015756f742e6e6f77686572652e696e76616c69643a30",
     {"01010009782e746573743a35330102030405060708",
      "02010009782e746573743a35330102030405060708",
      "03010009782e746573743a35330102030405060708"}},
};
// clang-format on

/// SHA-256 of two more frame pairs (portal 7).
struct DigestVector {
  std::string_view spec, id;
  unsigned auth_pad, tcp_pad;
  std::string_view auth_sha256, tcp_sha256;
};
inline constexpr DigestVector kDigestVectors[] = {
    {"b", "lSLOrSnW1XE", 221, 63,
     "327de7654e364806aa51369c8eecef780974e474990af5dbaaf719219378f519",
     "40ac2b6971b59b17fbdec87eb543a945ddc29c5c47ccfdfa951add81f0b93dc2"},
    {"caf\xc3\xa9", "kphnqWNT4-A", 169, 50,
     "0a85ee564d68a4548bf3c17bd06484faf0a0f250336db1740260a0eba38368d8",
     "2d7da3b6299db1836c3b083288a3ccdc28ef9e413be05be836ed665acb76a41d"},
};

}  // namespace portunus::portal::protocol
