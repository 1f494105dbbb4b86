"""How soon rules serve: many rules or a wide range at the start of portunus-standalone, from exec
until every listener is bound, and the range through the operator API until the server says so."""

import pathlib
import tempfile
import time

from .errors import BenchError
from .readiness import bound_ports, wait_until

RULES = 1_000
RANGE_PORTS = 1_024
MEASURES = ("activate_rules", "activate_range", "activate_range_api")
TARGET = 2_000  # nobody connects
LIMIT_SECONDS = 30

CONFIG = """
[global]
shutdown_drain_secs = 1
[stats]
socket_path = "{socket}"
"""

RULE = """
[[rule]]
name = "{name}"
{listen}
target = "127.0.0.1:{target}"
"""


def many_rules(first):
    return "".join(RULE.format(name=f"rule-{port}", listen=f"listen_port = {port}", target=TARGET)
                   for port in range(first, first + RULES))


def one_range(first):
    last = first + RANGE_PORTS - 1
    return RULE.format(name="range", listen=f'listen_ports = "{first}-{last}"',
                       target=f"{TARGET}-{TARGET + RANGE_PORTS - 1}")


def _require_bound(child, ports):
    missing = set(ports) - bound_ports(child)
    if missing:
        raise BenchError(f"{child.name} is up, but {len(missing)} ports are not bound")


def _standalone_ms(setting, rules, ports):
    # In /tmp: the path of a Unix socket is short.
    with tempfile.TemporaryDirectory(prefix="portunus-bench-") as name:
        folder = pathlib.Path(name)
        # It comes into being when every rule is active.
        ready = folder / "stats" / "stats.sock"
        config = folder / "portunus.toml"
        config.write_text(CONFIG.format(socket=ready) + rules)
        argv = [setting.tool("portunus-standalone"), "--config", config]
        child = setting.children.start("standalone", argv)
        begin = time.monotonic()
        try:
            wait_until(ready.exists, "standalone binding its rules", child,
                       timeout=LIMIT_SECONDS, pause=0.0005)
            taken = time.monotonic() - begin
            _require_bound(child, ports)
        finally:
            setting.children.stop(child)
    return taken * 1e3


def _api_ms(forwarder, first):
    ports = range(first, first + RANGE_PORTS)
    edge, = forwarder.data_path
    begin = time.monotonic()
    rule = forwarder.push_range(first, RANGE_PORTS, TARGET)
    taken = time.monotonic() - begin
    _require_bound(edge, ports)
    forwarder.remove_rule(rule)
    wait_until(lambda: not bound_ports(edge) & set(ports), "the range to be released", edge)
    return taken * 1e3


def measure(forwarder):
    setting = forwarder.setting
    first = setting.ports.row(RANGE_PORTS)
    return {"activate_rules": _standalone_ms(setting, many_rules(first),
                                             range(first, first + RULES)),
            "activate_range": _standalone_ms(setting, one_range(first),
                                             range(first, first + RANGE_PORTS)),
            "activate_range_api": _api_ms(forwarder, first)}
