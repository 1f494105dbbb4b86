"""What the numbers were taken on, for whoever reads them later."""

import platform
import re
import shutil

from .errors import BenchError
from .setting import cores

VERSIONS = {"haproxy": ["haproxy", "-v"], "nginx": ["nginx", "-v"],
            "iperf3": ["iperf3", "--version"], "wrk": ["wrk", "-v"],
            "iptables": ["iptables", "--version"], "realm": ["realm", "--version"],
            "socat": ["socat", "-V"], "stunnel": ["stunnel4", "-version"]}


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def describe(children):
    versions = {}
    for name, argv in VERSIONS.items():
        if not shutil.which(argv[0]) and not shutil.which(argv[0], path="/usr/sbin:/sbin"):
            continue
        try:
            _, out, err = children.run("version", argv, timeout=5)
        except BenchError:
            continue
        lines = (out + err).strip().splitlines()
        # socat names its authors first.
        versions[name] = next((line for line in lines if re.search(r"\d\.\d", line)), "")
    return {"cores": cores(), "processor": _processor(), "kernel": platform.release(),
            "versions": versions}
