"""An edge that speaks the wire itself, so that it can do what ours never would."""

import functools
import json
import os
import queue
import subprocess
import sys
import threading

# Its handlers of fork would run, and crash, in a child that only wants to become another program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import grpc  # noqa: E402

from .lab import REPOSITORY, scratch  # noqa: E402
from .waiting import PATIENCE, until  # noqa: E402

# Never dialled. While it stands the library does not shut down, which races with the next start.
KEPT = grpc.insecure_channel("127.0.0.1:9")
PROTOS = ("control", "enrollment", "rule", "stats", "quota")


@functools.cache
def messages():
    """The generated modules by name; made from proto/ once per test process."""
    folder = scratch() / "proto"
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"portunus/v1/{name}.proto" for name in PROTOS]
    subprocess.run(["protoc", "-I", str(REPOSITORY / "proto"), f"--python_out={folder}", *files],
                   check=True)
    sys.path.insert(0, str(folder))
    import importlib
    return {name: importlib.import_module(f"portunus.v1.{name}_pb2") for name in PROTOS}


class FakeEdge:
    """One gRPC connection with the credentials of a bundle.

    It trusts the certificate of the bundle as its only anchor and checks host name and validity,
    which is what deployed 1.8 clients do.
    """

    def __init__(self, bundle):
        bundle = json.loads(bundle.read_text("utf-8"))
        self.token = bundle["token"]
        self.control = messages()["control"]
        self.rule = messages()["rule"]
        self.stats = messages()["stats"]
        credentials = grpc.ssl_channel_credentials(bundle["server_cert_pem"].encode())
        self.channel = grpc.secure_channel(bundle["server_endpoint"], credentials)
        self.outgoing = queue.Queue()
        self.incoming = []
        self.call = None
        self.error = None
        self.over = threading.Event()

    def open(self, authorization=True, hello=True, **fields):
        """Opens the stream; `authorization` may be another header value or None."""
        method = self.channel.stream_stream(
            "/portunus.v1.Control/Channel",
            request_serializer=self.control.ClientMessage.SerializeToString,
            response_deserializer=self.control.ServerMessage.FromString)
        header = f"Bearer {self.token}" if authorization is True else authorization
        metadata = [("authorization", header)] if header is not None else []
        self.call = method(iter(self.outgoing.get, None), metadata=metadata)
        threading.Thread(target=self.read, daemon=True).start()
        if hello:
            values = {"protocol_version": "1.0.0", "client_version": "1.8.0",
                      "supported_protocols": [1], **fields}
            self.send(hello=self.control.Hello(**values))
        return self

    def read(self):
        try:
            for message in self.call:
                self.incoming.append(message)
        except grpc.RpcError as error:
            self.error = error
        self.over.set()

    def send(self, **member):
        self.outgoing.put(self.control.ClientMessage(**member))

    def status(self, update, outcome, reason="", request_id=None):
        self.send(rule_status=self.rule.RuleStatus(
            request_id=update.request_id if request_id is None else request_id,
            rule_id=update.rule.rule_id, outcome=outcome, reason=reason))

    def report(self, *rules):
        """Each rule as (id, bytes in, bytes out)."""
        self.send(stats_report=self.stats.StatsReport(
            sent_at_unix_ms=1, stats=[self.stats.RuleStats(rule_id=rule, bytes_in=bytes_in,
                                                           bytes_out=bytes_out)
                                      for rule, bytes_in, bytes_out in rules]))

    def of_kind(self, kind):
        return [getattr(message, kind) for message in list(self.incoming)
                if message.WhichOneof("payload") == kind]

    def wait(self, kind, count=1):
        """The count-th message of this kind."""
        return until(lambda: len(self.of_kind(kind)) >= count and self.of_kind(kind)[count - 1],
                     lambda: f"{kind} of the server; it ended with {self.error}")

    def wait_over(self, seconds=15):
        """The status with which the stream ended: (name, message)."""
        assert self.over.wait(seconds * PATIENCE), "the stream did not end"
        return self.call.code().name, self.call.details()

    def close(self):
        self.outgoing.put(None)
        self.channel.close()
