from harness import forwarders, loads, routes

BY_NAME = {load.name: load for load in loads.LOADS}
CLASSES = {cls.name: cls for cls in forwarders.ALL}


def takers(load):
    return {name for name, cls in CLASSES.items() if cls.takes(BY_NAME[load])}


def test_only_what_the_chosen_loads_need_is_opened():
    needed = routes.needed([BY_NAME["cpu"], BY_NAME["bulk_1"], BY_NAME["sni"]])
    assert [route.name for route in needed] == ["iperf", "sni"]
    assert routes.needed([BY_NAME["activation"]]) == ()


def test_who_carries_what():
    assert takers("latency") == set(CLASSES) - {"socat"}
    assert takers("memory") == {"haproxy", "nginx", "realm", "portunus"}
    assert takers("udp_64") == set(CLASSES) - {"haproxy"}
    assert takers("udp_memory") == {"nginx", "realm", "socat", "portunus"}
    assert takers("sni") == {"direct", "haproxy", "nginx", "portunus"}
    assert takers("limiter") == takers("activation") == {"portunus"}


def test_every_kind_is_carried_by_us():
    assert {load.kind for load in loads.LOADS} == set(CLASSES["portunus"].kinds)
