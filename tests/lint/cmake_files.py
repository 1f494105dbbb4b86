"""Reads the few shapes of CMake that this project writes: set() lists and calls with keywords."""

import re

CALL = re.compile(r"\b(\w+)\s*\(([^()]*)\)")


def without_comments(text):
    return re.sub(r"#[^\n]*", "", text)


def calls(text, name):
    """The argument words of every call of `name`."""
    return [match.group(2).split() for match in CALL.finditer(without_comments(text))
            if match.group(1) == name]


def sections(words, keywords):
    """Words grouped by the keyword before them; those before any keyword stand under ''."""
    groups = {"": []}
    current = ""
    for word in words:
        if word in keywords:
            current = word
            groups.setdefault(current, [])
        else:
            groups[current].append(word.strip('"'))
    return groups


def variables(text):
    """set() lists with references to earlier ones expanded."""
    values = {}
    for name, *words in calls(text, "set"):
        expanded = []
        for word in words:
            reference = re.fullmatch(r"\$\{(\w+)\}", word)
            expanded += values.get(reference.group(1), []) if reference else [word.strip('"')]
        values[name] = [word for word in expanded if word]
    return values
