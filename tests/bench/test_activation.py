import tomllib

from harness import activation


def test_a_rule_for_each_port():
    rules = tomllib.loads(activation.CONFIG.format(socket="/s") + activation.many_rules(3000))
    assert rules["stats"]["socket_path"] == "/s"
    assert [rule["listen_port"] for rule in rules["rule"]] == list(range(3000, 4000))
    assert len({rule["name"] for rule in rules["rule"]}) == 1000


def test_listen_and_target_range_have_one_length():
    rule, = tomllib.loads(activation.one_range(3000))["rule"]
    listen = [int(port) for port in rule["listen_ports"].split("-")]
    target = [int(port) for port in rule["target"].rpartition(":")[2].split("-")]
    assert listen == [3000, 4023]
    assert target[1] - target[0] == 1023
