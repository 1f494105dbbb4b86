class BenchError(Exception):
    """A measurement or a program under test did not do what it must; the text is for people."""


class Unavailable(BenchError):
    """A forwarder cannot take part on this machine; the text is the reason shown in the report."""
