"""The measurements of the desk in their short form: exact, and one winner for each pair."""

from backend.bench.desk import measure_races
from backend.bench.recommending import measure_recommending


def test_the_bench_of_recommending_is_exact():
    found = measure_recommending(managers=200, listings=500, dimension=32, top_k=20, rounds=1, seed=1)

    assert found["is_exact"]
    assert found["peak_memory_mib"] < 2048


def test_a_crowd_that_takes_the_same_pair_leaves_one_winner(new_database):
    found = measure_races(rounds=3, clients=8, database_url=new_database())

    assert found["rounds_with_one_winner"] == 3
    assert found["losers_told"] == {"另一位技术经理人已经先接洽了这一对。": 21}
