"""What a forwarder's processes cost: CPU time and user memory."""

import os
import time


def session_pids(leader):
    """Every process of the session the leader opened, so workers and helpers count too."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.getsid(int(name)) == leader:
                found.append(int(name))
        except ProcessLookupError:
            pass
    return found


def cpu_seconds(pids):
    """utime + stime of the processes.

    Read through each process's CPU clock: /proc/PID/stat has the same sum, but in ticks of 10 ms,
    which is too coarse for a run of a second.
    """
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def cpu_by_pid(pids):
    """{pid: CPU seconds} of those processes that still live."""
    found = {}
    for pid in pids:
        try:
            found[pid] = cpu_seconds([pid])
        except OSError:
            pass
    return found


def cpu_by_thread(pid):
    """{thread name: CPU seconds}, threads of one name together; numbers at the end of a name are
    left out."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8", errors="replace") as file:
                name = file.read().strip().rstrip("-0123456789")
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                nanoseconds = int(file.read().split()[0])
        except (OSError, IndexError):
            continue
        found[name] = found.get(name, 0.0) + nanoseconds / 1e9
    return found


def cpu_since(before, pids):
    """What the processes spent since that cpu_by_pid(); one that has come since counts in full."""
    return sum(now - before.get(pid, 0.0) for pid, now in cpu_by_pid(pids).items())


def parse_user_bytes(rollup):
    """Anonymous plus shared memory of one smaps_rollup; file pages are the program, not its load.

    Proportional shares, so that workers forked from one master do not count a page twice.
    """
    fields = dict(line.split(":", 1) for line in rollup.splitlines() if ":" in line)
    names = ("Pss_Anon", "Pss_Shmem") if "Pss_Anon" in fields else ("Pss",)
    return sum(int(fields[name].split()[0]) for name in names if name in fields) * 1024


def user_bytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as file:
            # The first line is an address range and contains colons in device numbers.
            total += parse_user_bytes(file.read().partition("\n")[2])
    return total


def settled_user_bytes(pids, patience=2.0):
    """The reading once it stands still: what follows an accept burst is freed a moment later."""
    deadline = time.monotonic() + patience
    last, same = user_bytes(pids), 0
    while same < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        now = user_bytes(pids)
        same = same + 1 if now == last else 0
        last = now
    return last
