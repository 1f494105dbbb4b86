"""The JSON log lines of a program, and what the contract says about their shape."""

import json
import re

FIRST_KEYS = ["timestamp", "level", "event"]
LEVELS = {"ERROR", "WARN", "INFO", "DEBUG", "TRACE"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# The lines that are plain text by contract.
PLAIN = re.compile(r"(Portunus onboarding setup token: |serve failed: |error: |warning: |  - )")


def parse(line):
    """The event of one line, or None for plain text."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def split(text):
    """(plain lines, names of events) of what a program wrote to stderr."""
    plain, events = [], []
    for line in text.splitlines():
        event = parse(line)
        if event is None:
            plain.append(line)
        else:
            events.append(event.get("event"))
    return plain, [name for name in events if isinstance(name, str)]


def flaw(line):
    """What is wrong with the line by observability 1, or None."""
    if PLAIN.match(line):
        return None
    event = parse(line)
    if event is None:
        return "neither JSON nor a plain line of the contract"
    if list(event)[:3] != FIRST_KEYS:
        return f"the first keys are {list(event)[:3]}"
    if not TIMESTAMP.fullmatch(event["timestamp"]):
        return "timestamp is not UTC with microseconds"
    if event["level"] not in LEVELS:
        return "unknown level"
    for key, value in event.items():
        if value is None or isinstance(value, dict):
            return f"{key} is null or nested"
    if event["event"] == "audit.redaction_violation":
        return "a secret was about to be logged"
    return None
