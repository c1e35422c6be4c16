"""A listing in random hands."""

from datetime import timedelta
from itertools import pairwise

from deeds import DRAFT, EXPIRED, PUBLISHED, REFUSED, TRANSITIONS, act
from factories import MONDAY, make_account, make_listing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlmodel import select

from backend.accounts.tables import Organisation, Role, TrailEntry
from backend.errors import AppError
from backend.listings import repository, service
from backend.listings.moves import ENDED


class Life(RuleBasedStateMachine):
    """Whatever is tried in whatever order, the history stays one that could have happened."""

    session = None

    def __init__(self):
        super().__init__()
        self.savepoint = self.session.begin_nested()
        self.owner = make_account(self.session)
        self.moderator = make_account(self.session, role=Role.MODERATOR)
        self.listing = make_listing(self.session, owner=self.owner, state=DRAFT)
        self.now, self.edits, self.state = MONDAY, 0, DRAFT

    def teardown(self):
        self.savepoint.rollback()

    @property
    def is_verified(self):
        return service.is_verified(self.session, self.listing.organisation_id)

    @rule(deed=st.sampled_from(sorted(TRANSITIONS)))
    def do(self, deed):
        self.now += timedelta(hours=1)
        target = TRANSITIONS[deed].get(self.state)
        is_edit = deed.startswith("edit")
        if is_edit and self.state is PUBLISHED and self.is_verified:
            target = PUBLISHED
        refused = False
        try:
            act(
                self.session,
                deed,
                self.listing,
                owner=self.owner,
                moderator=self.moderator,
                now=self.now,
                mark=str(self.edits),
            )
        except AppError:
            refused = True
        assert refused == (target is REFUSED)
        if not refused:
            self.edits += is_edit
            self.state = target

    @rule()
    def let_time_pass(self):
        self.now += timedelta(days=100)
        service.expire_listings(self.session, now=self.now)
        if self.state is PUBLISHED and self.listing.expires_at <= self.now:
            self.state = EXPIRED

    @rule()
    def verify_or_not(self):
        organisation = self.session.get(Organisation, self.listing.organisation_id)
        organisation.verified_at = None if organisation.verified_at else self.now

    @invariant()
    def the_state_is_the_expected_one(self):
        assert self.listing.state is self.state

    @invariant()
    def the_history_is_a_path_from_nothing_to_here(self):
        events = list(reversed(repository.find_events(self.session, self.listing.id, limit=1000)))
        steps = [(event.from_state, event.to_state) for event in events]
        assert steps[0] == (None, DRAFT)
        assert all(left == entered for (_, left), (entered, _) in pairwise(steps))
        assert steps[-1][1] is self.listing.state
        assert [event.at for event in events] == sorted(event.at for event in events)

    @invariant()
    def every_version_is_kept_in_order(self):
        versions = repository.find_versions(self.session, self.listing.id, limit=1000)
        assert [version.version for version in versions] == list(range(self.listing.version, 0, -1))
        assert versions[0].content["title"] == self.listing.title

    @invariant()
    def what_has_ended_says_when_and_what_has_not_does_not(self):
        assert (self.listing.ended_at is not None) == (self.listing.state in ENDED)

    @invariant()
    def what_is_published_says_since_when_and_until_when(self):
        if self.listing.state is PUBLISHED:
            assert self.listing.published_at < self.listing.expires_at

    @invariant()
    def the_trail_has_every_step_and_every_edit(self):
        query = select(TrailEntry).where(TrailEntry.subject == f"listing:{self.listing.id}")
        events = repository.find_events(self.session, self.listing.id, limit=1000)
        assert len(self.session.exec(query).all()) == len(events) + self.listing.version - 1


def test_no_order_of_deeds_makes_an_impossible_history(session):
    Life.session = session

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
