"""The operator's HTTP API, spoken plainly."""

import http.client
import json

from . import openapi
from .record import RUN


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of an error envelope, whose shape is checked on the way."""
        envelope = self.json
        assert set(envelope) == {"error"}, envelope
        assert set(envelope["error"]) == {"code", "message"}, envelope
        assert all(isinstance(text, str) for text in envelope["error"].values())
        return envelope["error"]["code"]

    @property
    def message(self):
        return self.json["error"]["message"]

    def ok(self, status):
        assert self.status == status, f"{self.status}: {self.body[:500]!r}"
        return self.json if self.body else None

    def refused(self, status, code):
        assert (self.status, self.code) == (status, code), f"{self.status}: {self.body[:500]!r}"
        return self


class Api:
    def __init__(self, port, token=None):
        self.port = port
        self.token = token

    def request(self, method, path, body=None, *, token=True, headers=None, raw=None,
                timeout=60):
        """`body` goes out as JSON, `raw` as it is. token: True = the operator's, None = none."""
        sent = {}
        if token:
            sent["Authorization"] = f"Bearer {self.token if token is True else token}"
        data = raw
        if body is not None:
            data = json.dumps(body)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        RUN.request(sent, body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            answer = Answer(response, response.read())
            RUN.answer(method, openapi.template_of(path), answer.status, answer.headers,
                       answer.body)
            openapi.check(method, path, answer.status, answer.headers, answer.body)
            return answer
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def put(self, path, body=None, **options):
        return self.request("PUT", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.request("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)
