"""The operator API of a server under test, as far as the bench uses it."""

import http.client
import json

from .errors import BenchError

TIMEOUT_SECONDS = 15


class OperatorApi:
    def __init__(self, port, token):
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def request(self, method, path, body=None, *, expect):
        """The JSON of an answer with the expected status, None if it has no body."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               self._headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchError(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status != expect:
            raise BenchError(f"{method} {path}: {answer.status} "
                             f"{text.decode(errors='replace')[:300]}")
        return json.loads(text) if text else None
