"""The Prometheus text, read the way a scraper reads it."""

import re

SAMPLE = re.compile(r'(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.types = {}
        self.samples = []  # (name, labels, value)
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.types[name] = kind
            elif line and not line.startswith("#"):
                match = SAMPLE.fullmatch(line)
                assert match, f"no sample line: {line!r}"
                labels = dict(LABEL.findall(match["labels"] or ""))
                self.samples.append((match["name"], labels, float(match["value"])))

    def rows(self, name, **labels):
        return [(row, value) for sample, row, value in self.samples
                if sample == name and all(row.get(key) == text for key, text in labels.items())]

    def value(self, name, default=None, **labels):
        rows = self.rows(name, **labels)
        if not rows and default is not None:
            return default
        assert len(rows) == 1, f"{name} {labels}: {rows}"
        return rows[0][1]

    def total(self, name, **labels):
        return sum(value for _, value in self.rows(name, **labels))

    def rule_bytes(self, rule):
        """(in, out) of one rule; 0 before its first byte."""
        return tuple(int(self.total(f"portunus_rule_bytes_{way}_total", rule=str(rule)))
                     for way in ("in", "out"))
