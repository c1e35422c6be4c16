"""Who is recommended what: each pair once, by what the manager cares for, and never what is gone."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from factories import MONDAY, make_account
from recommending import TOPICS, edit, follow, make_manager, make_pair, make_side, only_row, queue_of, recommend
from sqlmodel import select

from backend.accounts.tables import Account, Role
from backend.desk import decisions, pairs, service
from backend.desk.choosing import MOST_OPEN, NEAR_EQUALS, PER_DEMAND, PER_SUPPLY, Owners
from backend.desk.columns import PairColumns
from backend.desk.scoring import Interest, PoolPair
from backend.desk.service import Pool, Prepared
from backend.desk.tables import DismissalReason, JudgedPair, Progress, Recommendation
from backend.jobs import enqueue
from backend.listings import service as listings
from backend.listings.tables import Kind
from models.relevance import MatchLevel, PairScorer


def test_a_fitting_pair_is_recommended_to_every_manager_once(session, platform):
    managers = [make_manager(session), make_manager(session)]
    supply, demand = make_pair(session, platform)

    made = recommend(session, platform), recommend(session, platform)

    assert made == (2, 0)
    for manager in managers:
        row = only_row(session, manager)
        assert (row.supply_id, row.demand_id, row.progress) == (supply.id, demand.id, Progress.OPEN)
        assert row.level == MatchLevel.STRONG
        assert row.fingerprint == service.fingerprint_of(supply.content_hash, demand.content_hash)


def test_what_does_not_fit_is_not_recommended(session, platform):
    manager = make_manager(session)
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    make_side(session, platform, TOPICS[1], Kind.DEMAND)

    recommend(session, platform)

    assert queue_of(session, platform, manager) == []


def test_a_manager_gets_pairs_of_the_chosen_regions_only(session, platform):
    manager = make_manager(session, regions=["130200"])
    _, wanted = make_pair(session, platform, TOPICS[0])
    make_side(session, platform, TOPICS[1], Kind.SUPPLY)
    make_side(session, platform, TOPICS[1], Kind.DEMAND, region_code="120116")

    recommend(session, platform)

    assert [row.demand_id for row in queue_of(session, platform, manager)] == [wanted.id]
    assert "您关注的地区：唐山" in only_row(session, manager).reason


def test_a_manager_gets_pairs_of_the_chosen_fields_and_of_the_stated_expertise(session, platform):
    manager = make_manager(session, fields=["tcm"], expertise="做过电渗析和废水零排放的中试")
    _, by_field = make_pair(session, platform, TOPICS[4], fields=["tcm"])
    _, by_words = make_pair(session, platform, TOPICS[0])
    make_pair(session, platform, TOPICS[5])

    recommend(session, platform)

    rows = {row.demand_id: row.reason for row in queue_of(session, platform, manager)}
    assert rows.keys() == {by_field.id, by_words.id}
    assert "您关注的领域：组分中药" in rows[by_field.id]
    assert "与您的专长相关：" in rows[by_words.id]
    assert "电渗析" in rows[by_words.id]


def test_without_personalisation_the_profile_is_not_used_and_the_reason_says_so(session, platform):
    profile = {"regions": ["120000"], "fields": ["tcm"], "expertise": "丹参酮"}
    manager = make_manager(session, personalised=False, **profile)
    make_pair(session, platform, TOPICS[5])

    recommend(session, platform)

    assert "没有使用您的个人设置" in only_row(session, manager).reason
    assert "专长" not in only_row(session, manager).reason


def test_a_cross_region_pair_comes_first_and_names_the_article_that_pairs_its_places(session, platform):
    manager = make_manager(session)
    make_pair(session, platform, TOPICS[0], region_code="110108")
    _, across = make_pair(session, platform, TOPICS[1])

    recommend(session, platform)

    rows = queue_of(session, platform, manager)
    assert [row.demand_id == across.id for row in rows] == [True, False]
    assert "北京决定第五条" in rows[0].reason
    assert "第五条" not in rows[1].reason


def test_who_prefers_no_cross_region_pairs_gets_no_bonus_for_them(session, platform):
    keen, indifferent = make_manager(session), make_manager(session, prefers_cross_region=False)
    make_pair(session, platform)

    recommend(session, platform)

    assert only_row(session, keen).score == pytest.approx(only_row(session, indifferent).score + 0.6)


def test_a_pair_whose_deadline_is_near_comes_before_one_without(session, platform):
    manager = make_manager(session)
    make_pair(session, platform, TOPICS[0])
    _, urgent = make_pair(session, platform, TOPICS[1], deadline_on=(MONDAY + timedelta(days=3)).date())

    recommend(session, platform)

    first = queue_of(session, platform, manager)[0]
    assert first.demand_id == urgent.id
    assert "离截止还有 3 天" in first.reason


def test_a_fresh_pair_comes_before_an_old_one(session, platform):
    manager = make_manager(session)
    make_pair(session, platform, TOPICS[0], now=MONDAY - timedelta(days=100))
    _, fresh = make_pair(session, platform, TOPICS[1])

    recommend(session, platform)

    assert queue_of(session, platform, manager)[0].demand_id == fresh.id


def test_no_more_than_three_pairs_of_one_demand_are_recommended(session, platform):
    manager = make_manager(session)
    make_side(session, platform, TOPICS[0], Kind.DEMAND)
    for other in TOPICS[1:6]:
        text = f"{TOPICS[0]}，{TOPICS[0]}。也做{other}，{other}。"
        make_side(session, platform, TOPICS[0], Kind.SUPPLY, description=text)

    recommend(session, platform)

    assert len(queue_of(session, platform, manager)) == PER_DEMAND


def test_of_near_equal_pairs_only_two_are_recommended(session, platform):
    manager = make_manager(session)
    make_side(session, platform, TOPICS[0], Kind.DEMAND)
    for _ in range(5):
        make_side(session, platform, TOPICS[0], Kind.SUPPLY)

    recommend(session, platform)

    assert len(queue_of(session, platform, manager)) == NEAR_EQUALS


def test_no_more_than_two_pairs_of_one_supply_are_recommended(session, platform):
    manager = make_manager(session)
    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    for _ in range(5):
        make_side(session, platform, TOPICS[0], Kind.DEMAND)

    recommend(session, platform)

    assert len(queue_of(session, platform, manager)) == PER_SUPPLY


def test_no_more_than_two_hundred_pairs_wait_for_one_manager(platform):
    columns = PairColumns([_synthetic_pair() for _ in range(MOST_OPEN + 50)], {}, platform.catalogue)
    pool = Pool(columns, {}, frozenset(), Owners({}))

    chosen = service._choose(pool, {}, Prepared(None, Interest(), None), platform, now=MONDAY)

    assert len(chosen) == MOST_OPEN


def _synthetic_pair() -> PoolPair:
    return PoolPair(
        supply_id=uuid4(),
        demand_id=uuid4(),
        level=MatchLevel.FAIR,
        judged=0.6,
        fingerprint="f" * 64,
        pairing="",
        supply_region="110108",
        demand_region="120116",
        fields=frozenset(),
        words=frozenset(),
        deadline=None,
        fresh_at=MONDAY,
    )


def test_a_withdrawn_listing_leaves_the_queue_at_once_and_its_recommendation_lapses(session, platform):
    manager = make_manager(session)
    supply, _ = make_pair(session, platform)
    recommend(session, platform)

    listings.withdraw_listing(session, supply.id, by=session.get(Account, supply.owner_id), now=MONDAY)
    waiting_before_the_run = queue_of(session, platform, manager)
    follow(session, platform, supply)
    recommend(session, platform)

    assert waiting_before_the_run == []
    assert only_row(session, manager).progress is Progress.LAPSED


def test_a_lapsed_pair_comes_back_when_both_sides_are_published_again(session, platform):
    manager = make_manager(session)
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    owner = session.get(Account, supply.owner_id)
    listings.withdraw_listing(session, supply.id, by=owner, now=MONDAY)
    follow(session, platform, supply)
    recommend(session, platform)

    listings.submit_listing(session, supply.id, by=owner, now=MONDAY)
    moderator = make_account(session, role=Role.MODERATOR)
    listings.publish_listing(session, supply.id, by=moderator, now=MONDAY, days=180)
    follow(session, platform, supply)
    recommend(session, platform)

    assert [row.supply_id for row in queue_of(session, platform, manager)] == [supply.id]


def test_a_dismissed_pair_never_returns_unless_one_side_says_something_else(session, platform, clock):
    manager = make_manager(session)
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    row = only_row(session, manager)
    decisions.dismiss(session, row.id, by=manager, reason=DismissalReason.MONEY, now=clock())

    clock.advance(days=30)
    recommend(session, platform)
    unchanged = row.progress
    edit(session, platform, supply)
    recommend(session, platform)

    assert unchanged is Progress.DISMISSED
    assert (row.progress, row.dismissal) == (Progress.OPEN, None)
    assert row.made_at == clock()


def test_a_pair_that_says_something_else_is_new_again(session, platform, clock):
    manager = make_manager(session)
    supply, _ = make_pair(session, platform)
    recommend(session, platform)
    before = only_row(session, manager).fingerprint

    clock.advance(days=1)
    edit(session, platform, supply)
    made = recommend(session, platform)

    row = only_row(session, manager)
    assert made == 1
    assert row.fingerprint != before
    assert row.made_at == clock()


def test_a_pair_put_off_comes_back_on_its_day_before_all_others(session, platform, clock):
    manager = make_manager(session)
    make_pair(session, platform, TOPICS[0], now=MONDAY - timedelta(days=200))
    recommend(session, platform)
    row = only_row(session, manager)
    decisions.snooze(session, row.id, by=manager, days=7, now=clock())
    for topic in TOPICS[1:4]:
        make_pair(session, platform, topic)

    clock.advance(days=6)
    recommend(session, platform)
    early = [waiting.id for waiting in queue_of(session, platform, manager)]
    clock.advance(days=1)
    on_the_day = [waiting.id for waiting in queue_of(session, platform, manager)]
    recommend(session, platform)
    after_the_run = [waiting.id for waiting in queue_of(session, platform, manager)]

    assert row.id not in early
    assert row.id == on_the_day[0] == after_the_run[0]
    assert len(after_the_run) == 4


def test_a_manager_who_may_not_act_is_recommended_nothing(session, platform):
    manager = make_manager(session)
    manager.suspended_at = MONDAY
    session.add(manager)
    make_pair(session, platform)

    recommend(session, platform)

    assert session.exec(select(Recommendation).where(Recommendation.manager_id == manager.id)).all() == []


def test_a_run_without_changes_judges_nothing_again(session, platform):
    make_pair(session, platform)
    recommend(session, platform)

    judging = pairs.judge(session, platform)

    assert list(judging.demand_ids) == []


def test_another_ranker_has_everything_judged_anew(session, platform):
    _, demand = make_pair(session, platform)
    recommend(session, platform)
    scorer = platform.scorer
    model = replace(scorer.model, full_sums=(1e6, 2e6))
    other = replace(platform, scorer=PairScorer(encoder=scorer.encoder, table=scorer.table, model=model))

    judging = pairs.judge(session, other)
    pairs.keep(session, judging, now=MONDAY)

    assert list(judging.demand_ids) == [demand.id]
    assert session.exec(select(JudgedPair)).all() == []
    assert list(pairs.judge(session, other).demand_ids) == []


def test_a_new_supply_has_only_the_demands_judged_again_that_it_may_answer(session, platform):
    _, answered = make_pair(session, platform, TOPICS[0])
    make_pair(session, platform, TOPICS[5])
    recommend(session, platform)

    make_side(session, platform, TOPICS[0], Kind.SUPPLY)
    judging = pairs.judge(session, platform)

    assert list(judging.demand_ids) == [answered.id]


def test_a_run_that_was_overtaken_writes_nothing(session, platform):
    make_pair(session, platform, TOPICS[0])
    late = pairs.judge(session, platform)
    make_pair(session, platform, TOPICS[1])
    recommend(session, platform)

    pairs.keep(session, late, now=MONDAY)

    assert len(session.exec(select(JudgedPair)).all()) >= 2


def test_the_timed_job_renews_recommendations_in_transactions_of_its_own(session, platform, drain):
    manager = make_manager(session)
    make_pair(session, platform)
    session.commit()
    enqueue(session, "desk.recommend")

    done = drain()

    assert "desk.recommend" in done
    assert len(queue_of(session, platform, manager)) == 1
