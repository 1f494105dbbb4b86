#pragma once

namespace portunus::dataplane::tcp {

class ListenPort;
class RuleSlice;
class SniPort;
class TcpRule;
struct Worker;

}  // namespace portunus::dataplane::tcp
