"""Programs that are not ours, beside ours: their logs are not held to our contract."""

import socket
import subprocess

from .program import before_exec
from .waiting import until


class Daemon:
    """A foreign program in the foreground; what it says goes to a file."""

    def __init__(self, lab, name, command):
        self.name = name
        self.log = lab.folder / f"{name}.daemon.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=lab.folder, start_new_session=True, preexec_fn=before_exec)
        lab.owns(self)

    @property
    def text(self):
        return self.log.read_text("utf-8", errors="replace")

    def wait_ready(self, ready):
        def looked():
            assert self.process.poll() is None, f"{self.name} ended\n{self.text}"
            return ready()
        until(looked, lambda: f"{self.name} is not ready\n{self.text}", 15)
        return self

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def listening(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


def nginx_behind_proxy_protocol(lab, port):
    """An nginx that answers with the addresses that the PROXY header told it."""
    folder = lab.folder / "nginx"
    folder.mkdir()
    (folder / "nginx.conf").write_text(f"""
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} proxy_protocol;
    default_type text/plain;
    return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr """
                                      f"""$proxy_protocol_server_port\\n";
  }}
}}
""", "utf-8")
    command = ["/usr/sbin/nginx", "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    return Daemon(lab, "nginx", command).wait_ready(lambda: listening(port))
