"""A stand-in for the two programs: as much of their command line as the bench uses.

It lets the harness be tested without building the product. Server and edge speak a line
protocol of their own: "edge" announces the edge, "rule <listen> <target>" adds a rule.
"""

import argparse
import asyncio
import os
import pathlib
import sys
import tomllib

PIN = "0" * 64


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def forward(target, reader, writer):
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
    writer.close()
    far_writer.close()


async def run_edge(bundle):
    port = int(pathlib.Path(bundle).read_text())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"edge\n")
    while line := await reader.readline():
        listen, target = map(int, line.split())
        await asyncio.start_server(lambda r, w, t=target: forward(t, r, w), "127.0.0.1", listen)
        writer.write(b"ok\n")


class Server:
    def __init__(self, data):
        self.settings = tomllib.loads((data / "server.toml").read_text())
        assert self.settings["operator_token"] == os.environ["PORTUNUS_OPERATOR_TOKEN"]
        self.edge = None

    def port(self, key):
        return int(self.settings[key].rpartition(":")[2])

    async def on_edge(self, reader, writer):
        if await reader.readline() == b"edge\n":
            self.edge = (reader, writer)

    async def on_operator(self, reader, writer):
        request = await reader.readline()
        if request == b"control\n":
            writer.write(b"%d\n" % self.port("control_listen"))
        elif not self.edge:
            writer.write(b"client_not_connected\n")
        else:
            self.edge[1].write(request)
            writer.write(await self.edge[0].readline())
        writer.close()

    async def run(self):
        await asyncio.start_server(self.on_edge, "127.0.0.1", self.port("control_listen"))
        await asyncio.start_server(self.on_edge, "127.0.0.1", self.port("metrics_listen"))
        server = await asyncio.start_server(self.on_operator, "127.0.0.1",
                                            self.port("operator_http_listen"))
        await server.serve_forever()


async def ask(endpoint, line):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(endpoint.rpartition(":")[2]))
    writer.write(line.encode() + b"\n")
    answer = (await reader.readline()).decode().strip()
    writer.close()
    return answer


def server_main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=pathlib.Path, required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve")
    enroll = commands.add_parser("enroll-client")
    push = commands.add_parser("push-rule")
    for command in (enroll, push):
        command.add_argument("name")
        command.add_argument("--http-endpoint", required=True)
    push.add_argument("listen")
    push.add_argument("target")
    push.add_argument("--sni")  # whatever the name is, it has but one target
    options = parser.parse_args(arguments)
    if options.command == "serve":
        asyncio.run(Server(options.data_dir).run())
    elif options.command == "enroll-client":
        port = asyncio.run(ask(options.http_endpoint, "control"))
        print(f"client_name={options.name}\nexpires_at=2030-01-01 00:00:00 UTC\n"
              f"portunus-client enroll 'portunus://127.0.0.1:{port}/enroll?pin=sha256:{PIN}&code=x'")
    else:
        target = options.target.rpartition(":")[2]
        if asyncio.run(ask(options.http_endpoint, f"{options.listen} {target}")) != "ok":
            print("error: client_not_connected (edge is offline)", file=sys.stderr)
            return 4
        print("1")
    return 0


def client_main(arguments):
    if arguments[0] == "enroll":
        _, uri, out, bundle = arguments
        assert out == "--out"
        pathlib.Path(bundle).write_text(uri.split("/")[2].rpartition(":")[2])
        print(bundle)
        return 0
    assert arguments[0] == "--bundle"
    asyncio.run(run_edge(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit((server_main if sys.argv[1] == "server" else client_main)(sys.argv[2:]))
