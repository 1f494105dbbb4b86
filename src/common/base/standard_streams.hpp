#pragma once

namespace portunus {

/// Opens /dev/null in the place of a standard stream that whoever started the process has closed.
/// The next descriptor would take its number, and log lines would go to a peer or into the event
/// loop's own descriptors. First thing in main.
void claim_standard_streams();

}  // namespace portunus
