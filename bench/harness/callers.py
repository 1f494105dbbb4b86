"""Callers of the operator API, by the load tool api_load."""

import contextlib
import json
import os
import subprocess

from .errors import BenchError


def line(method, path, body=None):
    """One request as the tool reads it."""
    text = f"{method} {path}"
    return text if body is None else f"{text} {json.dumps(body, separators=(',', ':'))}"


class Callers:
    def __init__(self, setting, http_port, token):
        self._setting = setting
        self._tool = setting.tool("api_load")
        self._server = f"127.0.0.1:{http_port}"
        self._env = os.environ | {"PORTUNUS_OPERATOR_TOKEN": token}
        self._count = 0

    def _command(self, requests, connections, how, rate):
        self._count += 1
        path = self._setting.scratch / f"requests-{self._count}"
        path.write_text("".join(f"{request}\n" for request in requests))
        return [self._tool, self._server, path, connections, how, rate]

    def once(self, requests, *, connections=8, rate=0, timeout=120):
        """(what the tool measured, the answers in order: JSON, or None where it was refused)"""
        answers = self._setting.scratch / "answers"
        out = self._setting.children.check(
            "api_load", [*self._command(requests, connections, "once", rate), answers],
            env=self._env, timeout=timeout)
        bodies = answers.read_text().splitlines()
        return json.loads(out), [json.loads(body) if body else None for body in bodies]

    def all_once(self, requests, *, status, **options):
        """As once(), but every answer must have that status."""
        measured, answers = self.once(requests, **options)
        if measured["statuses"] != {str(status): len(requests)}:
            raise BenchError(f"{requests[0][:60]}…: {measured['statuses']}, "
                             f"{measured['broken']} connections broken")
        return measured, answers

    def loop(self, requests, *, seconds, connections=8, rate=0):
        return json.loads(self._setting.children.check(
            "api_load", self._command(requests, connections, seconds, rate), env=self._env,
            timeout=seconds + 90))

    @contextlib.contextmanager
    def beside(self, requests, *, seconds, connections):
        """Runs them while the body does something else; yields a place for what was measured."""
        child = self._setting.children.start(
            "api_load", self._command(requests, connections, seconds, 0), env=self._env,
            stdout=subprocess.PIPE)
        measured = {}
        try:
            yield measured
            out, _ = child.process.communicate(timeout=seconds + 90)
            if child.process.returncode != 0:
                raise BenchError(f"api_load exited with {child.process.returncode}")
            measured.update(json.loads(out))
        finally:
            self._setting.children.stop(child)
