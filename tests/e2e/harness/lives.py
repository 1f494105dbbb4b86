"""Counters over several lives of one server: what each life had counted when it ended, summed."""

from .waiting import until


class LifeCounters:
    """Sums a rule's byte counters over server lives.

    A life's counters end with it, so it is ended right after a report was seen to arrive: then the
    last scrape is what that life counted, and everything later belongs to the next one.
    """

    def __init__(self, server, rule):
        self.server = server
        self.rule = rule
        self.past = (0, 0)

    def now(self):
        return self.server.metrics().rule_bytes(self.rule)

    def wait_report(self, seconds=10):
        """Returns just after a report changed the counters."""
        before = self.now()
        return until(lambda: (now := self.now()) != before and now, "a report under traffic",
                     seconds)

    def end_life(self, end):
        """Waits for a report, then calls `end`, which must stop the server."""
        last = self.wait_report()
        end()
        self.past = (self.past[0] + last[0], self.past[1] + last[1])

    def wait_total(self, expected, seconds=15):
        def arrived():
            now = self.now()
            total = (self.past[0] + now[0], self.past[1] + now[1])
            assert total[0] <= expected[0] and total[1] <= expected[1], \
                f"counted twice: {total} where {expected} was sent"
            return total == expected
        return until(arrived, lambda: f"{self.past} in past lives and {self.now()} now are not "
                                      f"{expected}", seconds)
