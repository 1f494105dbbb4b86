import pytest

from harness import stats


def test_summary_takes_the_median_of_what_was_measured():
    assert stats.summary([3, None, 1, 10]) == {"median": 3, "min": 1, "max": 10, "count": 3}


def test_summary_of_nothing_is_none():
    assert stats.summary([]) is None
    assert stats.summary([None, None]) is None


def test_ratio():
    assert stats.ratio(3.0, 2.0) == 1.5


@pytest.mark.parametrize("value, reference", [(None, 1), (1, None), (1, 0), (0, 1), (-2, 1)])
def test_ratio_that_says_nothing_is_none(value, reference):
    assert stats.ratio(value, reference) is None


def test_better_of_follows_the_direction_and_skips_the_missing():
    assert stats.better_of([2, 3], True) == 3
    assert stats.better_of([2, 3], False) == 2
    assert stats.better_of([None, 3], True) == 3
    assert stats.better_of([None, None], True) is None


def test_added_is_taken_within_a_round():
    assert stats.added([10, None, 12], [4, 5, 9]) == [6, None, 3]


def test_each_forwarder_starts_as_many_rounds_as_another():
    names = ["a", "b", "c"]
    assert [stats.rotated(names, turn) for turn in range(3)] == [
        ["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]
    assert stats.rotated([], 4) == []
