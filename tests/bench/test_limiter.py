import pytest

from harness import limiter

TABLE = """ cap KiB/s  connections      delivered   error %     CPU s
        64            1             64     -0.62     0.011
        64           64             65      1.30     0.020
      1024            1           1023     -0.10     0.030
      1024           64           1024      0.00     0.050
    102400            1         102400      0.00     1.000
    102400           64         101376     -1.00     1.100
   1048576            1         838860    -20.00     9.000
   1048576           64        1048576      0.00     9.500
   4194304            1         838861    -80.00     9.900
   4194304           64        1258291    -70.00    10.000
"""


def test_the_table_is_read():
    cells = limiter.parse(TABLE)
    assert len(cells) == 10
    assert cells[1024, 1] == (1023, -0.1, 0.03)
    assert cells[1048576, 1] == (838860, -20.0, 9.0)


def test_errors_have_no_sign_and_parked_time_is_a_share_of_a_core():
    taken = limiter.evaluate(limiter.parse(TABLE), 10)
    assert taken["limiter_102400k_64"] == 1.0
    assert taken["limiter_cpu_64k_64"] == pytest.approx(0.2)
    assert taken["limiter_open_64"] == pytest.approx(1228.8, abs=0.1)


def test_a_cap_above_what_the_path_carries_is_not_judged():
    taken = limiter.evaluate(limiter.parse(TABLE), 10)
    assert "limiter_1048576k_64" in taken
    assert "limiter_1048576k_1" not in taken


def test_every_measure_is_filled_where_the_path_carries_enough():
    cells = limiter.parse(TABLE)
    cells |= {(limiter.OPEN_CAP, connections): (2 << 20, -50.0, 10.0)
              for connections in limiter.CONNECTIONS}
    assert sorted(limiter.evaluate(cells, 10)) == sorted(limiter.MEASURES)
