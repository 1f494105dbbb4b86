#pragma once

namespace portunus::dataplane::udp {

class Flow;
class Listener;
class RuleSlice;
class UdpRule;
struct Opening;
struct Worker;

}  // namespace portunus::dataplane::udp
