"""A centre that answers an enrollment with whatever a test wants."""

import base64
import concurrent.futures

import grpc

from .fake_edge import messages
from .tls_servers import fingerprint, make_certificate

CODE = "C" * 43


class FakeCentre:
    """Serves /portunus.v1.ClientEnrollment/Enroll with a certificate of its own.

    `refusal` is (status name, message); without one the answer is `bundle`.
    """

    def __init__(self, lab):
        self.module = messages()["enrollment"]
        self.endpoint = f"127.0.0.1:{lab.port()}"
        certificate, key = make_certificate(lab.folder, "centre")
        self.pin = fingerprint(certificate)
        self.pem = certificate.read_bytes()
        self.refusal = None
        self.codes = []
        self.bundle = self.good()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        handler = grpc.unary_unary_rpc_method_handler(
            self.enroll, self.module.EnrollClientRequest.FromString,
            self.module.CredentialBundle.SerializeToString)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "portunus.v1.ClientEnrollment", {"Enroll": handler}),))
        pair = [(key.read_bytes(), self.pem)]
        self.server.add_secure_port(self.endpoint, grpc.ssl_server_credentials(pair))
        self.server.start()

    def good(self, **changes):
        values = {"version": 1, "client_name": "edge-01", "server_endpoint": self.endpoint,
                  "server_cert_sha256": self.pin, "token": "T" * 43, **changes}
        return self.module.CredentialBundle(**values)

    def enroll(self, request, context):
        self.codes.append(request.code)
        if self.refusal is not None:
            name, message = self.refusal
            context.abort(grpc.StatusCode[name], message)
        return self.bundle

    def uri(self):
        cert = base64.urlsafe_b64encode(self.pem).decode().rstrip("=")
        return f"portunus://{self.endpoint}/enroll?pin=sha256:{self.pin}&code={CODE}&cert={cert}"

    def close(self):
        self.server.stop(None).wait(10)
