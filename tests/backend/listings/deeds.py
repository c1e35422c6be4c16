"""What may be done to a listing, by whom, and what becomes of it."""

from factories import listing_form

from backend.listings import service
from backend.listings.tables import State

DRAFT, PENDING, RETURNED, PUBLISHED, MATCHED, CLOSED, EXPIRED, WITHDRAWN = State
REFUSED = None
# What each deed makes of a listing in each state; a state that is not named refuses the deed. The organisation of these
# listings is not verified.
TRANSITIONS = {
    "submit": {DRAFT: PENDING, RETURNED: PENDING, EXPIRED: PENDING, WITHDRAWN: PENDING},
    "edit": {
        **{state: state for state in (DRAFT, PENDING, RETURNED, EXPIRED, WITHDRAWN)},
        PUBLISHED: PENDING,
    },
    "edit and submit": dict.fromkeys((DRAFT, PENDING, RETURNED, PUBLISHED, EXPIRED, WITHDRAWN), PENDING),
    "withdraw": dict.fromkeys((DRAFT, PENDING, RETURNED, PUBLISHED), WITHDRAWN),
    "renew": {PUBLISHED: PUBLISHED, EXPIRED: PENDING, WITHDRAWN: PENDING},
    "match": {PUBLISHED: MATCHED},
    "close": {PUBLISHED: CLOSED},
    "publish": {PENDING: PUBLISHED},
    "return": {PENDING: RETURNED},
    "take down": {PUBLISHED: WITHDRAWN},
}


def act(session, deed, listing, *, owner, moderator, now, mark=""):
    """Do one deed to a listing."""
    form = listing_form(title=f"钢渣微粉制备掺合料{mark}")
    by_owner, by_moderator = {"by": owner, "now": now}, {"by": moderator, "now": now}
    deeds = {
        "submit": lambda: service.submit_listing(session, listing.id, **by_owner),
        "edit": lambda: service.update_listing(session, listing.id, form, submit=False, **by_owner),
        "edit and submit": lambda: service.update_listing(session, listing.id, form, submit=True, **by_owner),
        "withdraw": lambda: service.withdraw_listing(session, listing.id, **by_owner),
        "renew": lambda: service.renew_listing(session, listing.id, days=180, **by_owner),
        "match": lambda: service.close_listing(session, listing.id, is_matched=True, **by_owner),
        "close": lambda: service.close_listing(session, listing.id, is_matched=False, **by_owner),
        "publish": lambda: service.publish_listing(session, listing.id, days=180, **by_moderator),
        "return": lambda: service.return_listing(session, listing.id, reason="请补充指标。", **by_moderator),
        "take down": lambda: service.take_down(session, listing.id, reason="已有投诉。", **by_moderator),
    }
    deeds[deed]()
