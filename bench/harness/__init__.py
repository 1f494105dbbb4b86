"""The bench harness: starts forwarders and targets on loopback, loads them, keeps the numbers."""
