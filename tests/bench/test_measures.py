from harness import measures
from samples import make_run


def ratios(values, measure, name):
    return make_run(values)["measures"][measure]["ratios"][name]


def test_ratios_to_every_reference():
    found = ratios({"bulk_1": {"portunus": 12, "haproxy": 10, "nginx": 8, "direct": 24,
                               "iptables": 20}}, "bulk_1", "portunus")
    assert found == {"haproxy": 1.2, "best_proxy": 1.2, "direct": 0.5, "iptables": 0.6}


def test_the_better_proxy_depends_on_the_direction():
    values = {"portunus": 10, "haproxy": 20, "nginx": 40}
    assert ratios({"http_close": values}, "http_close", "portunus")["best_proxy"] == 0.25
    assert ratios({"memory_idle": values}, "memory_idle", "portunus")["best_proxy"] == 0.5


def test_missing_forwarders_leave_their_ratios_empty():
    found = ratios({"bulk_1": {"portunus": 12, "nginx": 8}}, "bulk_1", "portunus")
    assert found == {"haproxy": None, "best_proxy": 1.5, "direct": None, "iptables": None}


def test_a_forwarder_without_a_sample_has_no_ratios():
    result = measures.evaluate({"bulk_1": {"portunus": [None], "haproxy": [1.0]}})["bulk_1"]
    assert "portunus" not in result["ratios"]
    assert result["summary"]["portunus"] is None


def test_added_round_trip_subtracts_direct():
    result = make_run({"rtt_p50": {"direct": 50, "haproxy": 80, "portunus": 65}})["measures"]
    assert result["added_p50"]["summary"]["portunus"]["median"] == 15
    assert result["added_p50"]["ratios"]["portunus"]["haproxy"] == 0.5
    assert "direct" not in result["added_p50"]["summary"]


def test_no_added_round_trip_without_direct():
    assert "added_p50" not in make_run({"rtt_p50": {"portunus": 65}})["measures"]


def test_goals():
    results = make_run({"bulk_1": {"portunus": 9, "haproxy": 10},
                        "cpu_per_gb": {"portunus": 0.4, "haproxy": 0.5},
                        "memory_idle": {"portunus": 5000}})["measures"]
    verdicts = {goal.measure: measures.judge(goal, results, "portunus")
                for goal in measures.GOALS}
    assert verdicts["bulk_1"] == (0.9, False)
    assert verdicts["cpu_per_gb"] == (0.8, True)
    assert verdicts["memory_idle"] == (5000, False)
    assert verdicts["http_close"] == (None, None)


def test_udp_is_held_against_nginx():
    results = make_run({"udp_per_cpu_1200": {"portunus": 300, "nginx": 200},
                        "udp_per_cpu_64": {"portunus": 190, "nginx": 200},
                        "udp_memory_10000": {"portunus": 1500}})["measures"]
    verdicts = {goal.measure: measures.judge(goal, results, "portunus")
                for goal in measures.GOALS}
    assert verdicts["udp_per_cpu_1200"] == (1.5, True)
    assert verdicts["udp_per_cpu_64"] == (0.95, False)
    assert verdicts["udp_memory_10000"] == (1500, True)


def test_goals_and_gates_name_what_exists():
    assert {goal.measure for goal in measures.GOALS} <= set(measures.BY_NAME)
    assert all(goal.reference in ("", *measures.REFERENCES) for goal in measures.GOALS)


def test_every_load_fills_known_measures():
    from harness import loads
    filled = [name for load in loads.LOADS for name in load.measures]
    derived = [measure.name for measure in measures.MEASURES if measure.added_from]
    assert sorted(filled + derived) == sorted(measures.BY_NAME)
