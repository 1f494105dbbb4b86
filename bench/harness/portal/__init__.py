"""The bench of the Portal: relays that take TLS or QUIC, all in one run."""
