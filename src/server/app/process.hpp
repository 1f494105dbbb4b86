#pragma once

namespace portunus::server::app {

/// What a daemon asks of its process: SIGPIPE ignored, and as many descriptors as the hard limit
/// allows. Call once from main, before threads.
void prepare_process();

}  // namespace portunus::server::app
