"""A stand-in for portunus-portal and portal_load: as much of them as the harness uses.

The load is not real; the harness is tested without building the product.
"""

import argparse
import signal
import socket
import sys
import time
import urllib.parse


def bind(port, *kinds):
    bound = []
    for kind in kinds:
        one = socket.socket(type=kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            one.listen()
        bound.append(one)
    return bound


def stand(bound):
    signal.pause()
    return bound


def portal(url):
    parts = urllib.parse.urlsplit(url)
    net = urllib.parse.parse_qs(parts.query)["net"][0]
    stand(bind(parts.port, {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[net]))


def load(arguments):
    if arguments[0] == "serve":
        stand(bind(int(arguments[1]), socket.SOCK_STREAM, socket.SOCK_DGRAM))
    if arguments[1] == "tls":
        sys.exit("error: not through this one")
    answers = {
        "bulk": '{"bytes": 2500000000, "seconds": 2.0, "total": 3000000000}',
        "packets": '{"packets": 50000, "seconds": 2.0}',
        "dials": '{"connections": 1000, "seconds": 2.0}',
    }
    if arguments[0] == "hold":
        print(f"held {arguments[4]}", flush=True)
        time.sleep(60)
    print(answers[arguments[0]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=("portal", "load"))
    parser.add_argument("rest", nargs="*")
    given = parser.parse_args()
    portal(given.rest[0]) if given.program == "portal" else load(given.rest)
