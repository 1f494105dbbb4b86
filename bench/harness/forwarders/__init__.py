"""The forwarders under test, in the order of the report."""

from .direct import Direct
from .haproxy import Haproxy
from .nginx_stream import NginxStream
from .portunus import Portunus
from .realm import Realm
from .redirect import Redirect
from .socat import Socat

ALL = (Direct, Redirect, Haproxy, NginxStream, Realm, Socat, Portunus)
NAMES = tuple(forwarder.name for forwarder in ALL)
