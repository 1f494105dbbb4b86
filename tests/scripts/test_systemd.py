"""packaging/systemd (cli-and-config 10): what the manager would read from the units."""

import pathlib
import re
import subprocess

import pytest

UNITS = pathlib.Path(__file__).parents[2] / "packaging" / "systemd"
USERS = {"portunus-server": "portunus-server", "portunus-client": "portunus-client",
         "portunus-standalone": "portunus", "portunus-portal": "portunus-portal"}
LINES = {
    "portunus-server": """
        ExecStart=/usr/local/bin/portunus-server --data-dir /var/lib/portunus serve
        Type=exec User=portunus-server Group=portunus-server Restart=on-failure RestartSec=5
        RestartPreventExitStatus=2 78
        TimeoutStopSec=60 LimitNOFILE=4096:524288 ReadWritePaths=/var/lib/portunus
        StateDirectory=portunus StateDirectoryMode=0750 UMask=0027""",
    "portunus-client": """
        ExecStart=/usr/local/bin/portunus-client --bundle /etc/portunus/client.bundle.json
        Type=exec User=portunus-client Group=portunus-client Restart=on-failure RestartSec=5
        RestartPreventExitStatus=2
        TimeoutStopSec=60 LimitNOFILE=16384:524288 AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE ReadOnlyPaths=/etc/portunus/client.bundle.json
        AssertPathExists=/etc/portunus/client.bundle.json""",
    "portunus-standalone": """
        ExecStart=/usr/local/bin/portunus-standalone --config /etc/portunus/standalone.toml
        Type=simple User=portunus Group=portunus Restart=on-failure RestartSec=2
        RestartPreventExitStatus=2
        LimitNOFILE=65535:524288 AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE ReadOnlyPaths=/etc/portunus
        ReadWritePaths=/run/portunus RuntimeDirectory=portunus RuntimeDirectoryMode=0755
        AssertPathExists=/etc/portunus/standalone.toml""",
    "portunus-portal": """
        ExecStart=/usr/local/bin/portunus-portal ${PORTUNUS_PORTAL_URL}
        EnvironmentFile=/etc/portunus/portal.env
        Type=exec User=portunus-portal Group=portunus-portal Restart=on-failure RestartSec=5
        TimeoutStopSec=30 LimitNOFILE=65535:524288 AmbientCapabilities=CAP_NET_BIND_SERVICE
        CapabilityBoundingSet=CAP_NET_BIND_SERVICE AssertPathExists=/etc/portunus/portal.env""",
}
ALL = """After=network-online.target Wants=network-online.target StartLimitIntervalSec=0
    WantedBy=multi-user.target NoNewPrivileges=yes ProtectSystem=strict ProtectHome=yes
    PrivateTmp=yes"""
HARDENED = """PrivateDevices=yes ProtectKernelTunables=yes ProtectKernelModules=yes
    ProtectControlGroups=yes RestrictNamespaces=yes RestrictRealtime=yes LockPersonality=yes
    MemoryDenyWriteExecute=yes SystemCallFilter=@system-service SystemCallErrorNumber=EPERM"""


def read(name):
    text = (UNITS / f"{name}.service").read_text("utf-8")
    return dict(line.split("=", 1) for line in text.splitlines()
                if "=" in line and not line.startswith("#"))


def expected(text):
    return dict(re.findall(r"(\w+)=(.+?)(?=\s+[A-Z]\w+=|\s*$)", text))


@pytest.mark.parametrize("name", LINES)
def test_CLI_10_a_unit_says_what_the_contract_says(name):
    unit = read(name)
    wanted = expected(LINES[name]) | expected(ALL)
    if name != "portunus-standalone":
        wanted |= expected(HARDENED) | {"RestrictAddressFamilies": "AF_INET AF_INET6"}
    assert len(wanted) >= 20
    assert {key: unit.get(key) for key in wanted} == wanted
    assert "ExecReload" not in unit


@pytest.mark.parametrize("status, pauses", [
    ("1", ["25"]),  # a bundle, a pin or a credential that is refused
    ("0", []), ("2", []), ("TERM", []), ("", []),
])
def test_CLI_10_an_edge_that_is_refused_asks_seldom(tmp_path, status, pauses):
    command = re.fullmatch(r"/bin/sh -c '(.*)'", read("portunus-client")["ExecStopPost"])[1]
    sleep = tmp_path / "sleep"
    sleep.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/slept\n', "utf-8")
    sleep.chmod(0o755)
    # $$ is how a unit writes a $ for the shell.
    subprocess.run(["/bin/sh", "-c", command.replace("$$", "$")], check=True, timeout=20,
                   env={"PATH": f"{tmp_path}:/usr/bin:/bin", "EXIT_STATUS": status})
    slept = tmp_path / "slept"
    assert (slept.read_text("utf-8").split() if slept.exists() else []) == pauses


@pytest.mark.parametrize("name, user", USERS.items())
def test_CLI_10_users_have_no_home_and_no_shell(name, user):
    lines = [line for line in (UNITS / f"{name}.sysusers").read_text("utf-8").splitlines()
             if not line.startswith("#")]
    assert len(lines) == 1
    assert re.fullmatch(rf'u {user} - ".*" /nonexistent /usr/sbin/nologin', lines[0])
    assert read(name)["User"] == read(name)["Group"] == user
