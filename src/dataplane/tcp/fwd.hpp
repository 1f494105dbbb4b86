#pragma once

namespace portunus::dataplane::tcp {

class RuleSlice;
class TcpRule;
struct Worker;

}  // namespace portunus::dataplane::tcp
