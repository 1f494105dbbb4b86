"""Usage of one owner on one client: what the store has counted, beside what there was to count."""

from .waiting import PATIENCE

# A report that was handed over longer ago than this has been booked.
MOST_BOOKING_SECONDS = 1.0


class Meter:
    """The quota of an owner on a client, there before the first byte of its one rule."""

    def __init__(self, owner, client, rule):
        self.owner = owner
        self.client = client
        self.rule = rule
        self.path = f"/v1/users/{owner}/quotas/{client}"
        self.shown = 0  # the most that an answer or a store has shown
        self.largest = 0  # step of it

    def see(self, used):
        assert used is not None and used >= self.shown, \
            f"usage of {self.owner} on {self.client} fell from {self.shown} to {used}"
        self.largest = max(self.largest, used - self.shown)
        self.shown = used


class RealMeter(Meter):
    """Of a real edge: an echo through its rule, counted when it has come back."""

    def __init__(self, edge, port, traffic, *key):
        super().__init__(*key)
        self.edge = edge
        self.port = port
        self.inodes = edge.life.listener_inodes(port)
        self.traffic = traffic

    @property
    def most(self):
        """No more than this can have been carried."""
        under_way = len(self.traffic.threads) * 2 * self.traffic.message
        return self.traffic.sent + self.traffic.received + under_way

    def check(self, used, killed_at):
        self.see(used)
        assert used <= self.most, \
            f"{self.owner} on {self.client}: {used} bytes counted of at most {self.most}"


class SimMeter(Meter):
    """Of a simulated edge: its reports are known one by one."""

    def __init__(self, sim, times, *key):
        super().__init__(*key)
        self.sim = sim
        self.times = times
        self.booked = 0  # as of the last look
        self.seen = 0  # sessions, likewise
        self.lost = 0  # bytes of reports that came and were not booked
        self.oldest = 0.0  # of them, in seconds before the kill

    def check(self, used, killed_at):
        """The store holds a prefix of what this life of the server was told, to the byte."""
        self.see(used)
        with self.sim.lock:
            # A session that the edge still believed in when this life began told nobody anything.
            reports = [(at, session, total * self.times * 2)
                       for at, session, total in self.sim.reports if session > self.seen]
            seen = self.sim.sessions
        new = used - self.booked
        self.booked, self.seen = used, seen
        sums = [0, *(total for *_, total in reports)]
        assert new in sums, (f"{self.owner} on {self.client}: {new} new bytes are no sum of the "
                             f"first of {len(reports)} reports, the last of them {sums[-3:]}")
        late = [(at, total) for at, session, total in reports
                if session == seen and total > new and at <= killed_at]
        if late:
            age = killed_at - late[0][0]
            self.lost += late[-1][1] - new
            self.oldest = max(self.oldest, age)
            assert age < MOST_BOOKING_SECONDS * PATIENCE, \
                f"a report of {age:.3f} s before the kill was not booked"
