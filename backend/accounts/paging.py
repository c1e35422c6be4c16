"""Which page of a long list is shown."""

from fastapi import Request

LAST_PAGE = 10_000
LONGEST_NUMBER = 6


def page_number(request: Request) -> int:
    """Return the page asked for; anything that is no page means the first."""
    text = request.query_params.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
    return min(max(int(text), 1), LAST_PAGE) if is_number else 1


def last_page(total: int, size: int) -> int:
    """Return the number of the last page; an empty list has one page."""
    return max(1, -(-total // size))
