"""A technology manager deals with twenty recommendations from the keyboard, in a real browser."""

from itertools import cycle, islice

import pytest
from playwright.sync_api import expect

from backend.accounts.tables import Role

MOST_ACTIONS = 60
DEALT_WITH = 20
# Taken, dismissed with a reason, put off: one key or two.
WAYS = (("e",), ("x", "1"), ("s", "2"), ("x", "3"))


def waiting(page) -> int:
    return int(page.locator('nav[aria-label="推荐的处理情况"] [aria-current] .num').inner_text())


# Keys need a script; what each of them does is a form that works without one, and is tested so elsewhere.
@pytest.mark.parametrize("visitor", [(1280, True)], ids=["wide"], indirect=True)
def test_twenty_recommendations_take_at_most_sixty_keys(visitor):
    visitor.sign_in(Role.MANAGER)
    page = visitor.go("/desk")
    at_first, actions = waiting(page), 0
    assert at_first >= DEALT_WITH + 1

    for number, keys in enumerate(islice(cycle(WAYS), DEALT_WITH), start=1):
        page.wait_for_load_state("load")
        for key in keys:
            page.keyboard.press(key)
            actions += 1
        expect(page.locator('nav[aria-label="推荐的处理情况"] [aria-current] .num')).to_have_text(
            str(at_first - number)
        )

    assert actions <= MOST_ACTIONS
    page.wait_for_load_state("load")
    page.keyboard.press("z")
    expect(page.locator('nav[aria-label="推荐的处理情况"] [aria-current] .num')).to_have_text(
        str(at_first - DEALT_WITH + 1)
    )
    page.wait_for_load_state("load")
    page.keyboard.press("?")
    expect(page.locator("#keys dl")).to_be_visible()
