"""TLS servers and users that are not ours, and what a client sends to them."""

import contextlib
import socket
import ssl
import subprocess
import threading


def make_certificate(folder, name="stranger"):
    """A self-signed pair: (certificate path, key path)."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    return certificate, key


def fingerprint(certificate):
    out = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-fingerprint",
                          "-sha256"], check=True, capture_output=True, text=True).stdout
    return out.strip().partition("=")[2].replace(":", "").lower()


class Listener:
    """Accepts TLS connections with ALPN h2 and keeps every byte that comes after the handshake."""

    def __init__(self, port, pair):
        self.received = b""
        self.connections = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.set_alpn_protocols(["h2"])
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            raw.settimeout(10)
            with contextlib.suppress(OSError), \
                    self.context.wrap_socket(raw, server_side=True) as connection:
                while data := connection.recv(4096):
                    self.received += data

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def server_context(pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


def tls_greets(text, context, before=lambda connection: None):
    """A behaviour of targets.Target: TLS from the first byte, a greeting, then an echo.

    `before` may take what stands before the TLS stream; the result of the connection is what it
    returned.
    """
    def behave(connection):
        taken = before(connection)
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.sendall(text)
            while data := secure.recv(1 << 14):
                secure.sendall(data)
        return taken
    return behave


def tls_connect(port, name, host="127.0.0.1"):
    """A TLS user that asks for `name`, or for none when it is None."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection((host, port), 20)
    try:
        return context.wrap_socket(raw, server_hostname=name)
    except BaseException:
        raw.close()
        raise


def client_hello(name):
    """The first record of a TLS user that asks for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    user = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        user.do_handshake()
    return outgoing.read()
