#pragma once

namespace portunus::dataplane::tcp {

class ListenPort;
class RuleSlice;
class TcpRule;
struct Worker;

}  // namespace portunus::dataplane::tcp
