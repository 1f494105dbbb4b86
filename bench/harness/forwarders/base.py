"""What the bench asks of a forwarder."""

import pathlib
import shutil

from .. import cost
from ..errors import Unavailable
from ..readiness import bound_ports, wait_until


class Forwarder:
    """Carries each route from a listen port of its own to that route's target port.

    start() raises Unavailable where the machine cannot run it. An object is started once and
    stopped once; the memory measurements make a fresh one for each sample.
    """

    name = ""
    kinds = frozenset({"tcp"})  # of the routes it can carry; "own" are the loads for us alone
    max_udp_flows = 65_535
    namespace = None  # another network namespace than the harness's own, if it needs one
    has_process = True

    def __init__(self, setting):
        self.setting = setting
        self.targets = None
        self.listen = {}
        self.children = []  # whatever has to be stopped
        self.data_path = []  # those of them that carry traffic

    @classmethod
    def takes(cls, load):
        return load.kind in cls.kinds and (cls.has_process or not load.needs_process)

    @property
    def routes(self):
        return [route for route in self.setting.routes if route.kind in self.kinds]

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
        self.listen = {route.name: self.setting.ports.take() for route in self.routes}

    def wait_bound(self):
        """Until the data path listens for every route."""
        for transport in ("tcp", "udp"):
            ports = {self.listen[route.name] for route in self.routes
                     if route.transport == transport}
            wait_until(lambda: ports <= bound_ports(self.data_path[0], transport),
                       f"{self.name} listening on {transport} {sorted(ports)}", *self.data_path)

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
