"""An operator API that says whatever a test wants; for what ours never would say to a command."""

import http.server
import json
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        status, reason, body = self.server.reply
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments):
        pass


class StubApi:
    """Answers every request with `reply`, and keeps (method, path) of each."""

    def __init__(self, port):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.asked = []
        self.endpoint = f"127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def asked(self):
        return self.server.asked

    def says(self, status, body=b"", reason="Whatever"):
        self.server.reply = (status, reason, body)
        return self

    def refuses(self, code, message="because", status=400):
        envelope = {"error": {"code": code, "message": message}}
        return self.says(status, json.dumps(envelope).encode())

    def close(self):
        self.server.shutdown()
        self.server.server_close()
