"""What the bench asks of a forwarder."""

import pathlib
import shutil

from .. import cost
from ..errors import Unavailable


class Forwarder:
    """Carries each route from a listen port of its own to that route's target port.

    start() raises Unavailable where the machine cannot run it. An object is started once and
    stopped once; the memory measurement makes a fresh one for each sample.
    """

    name = ""
    namespace = None  # another network namespace than the harness's own, if it needs one
    has_process = True

    def __init__(self, setting):
        self.setting = setting
        self.targets = None
        self.listen = {}
        self.children = []  # whatever has to be stopped
        self.data_path = []  # those of them that carry traffic

    def start(self, targets):
        self.targets = targets
        self.open()

    def open(self):
        """Brings up the processes, listening on self.listen for the ports of self.targets."""
        raise NotImplementedError

    def stop(self):
        self.setting.children.stop(*self.children)
        self.children.clear()
        self.data_path.clear()

    def take_ports(self):
        self.listen = {route: self.setting.ports.take() for route in self.targets.ports}

    def pids(self):
        return [pid for child in self.data_path for pid in cost.session_pids(child.pid)]

    def launch(self, argv, **options):
        child = self.setting.children.start(self.name, argv, namespace=self.namespace, **options)
        self.children.append(child)
        return child


def find_program(name):
    # Debian keeps daemons in sbin, which is not on everyone's PATH.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if not path:
        raise Unavailable(f"{name} is not installed")
    return pathlib.Path(path)
