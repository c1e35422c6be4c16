"""Every route, page and template of the application, held to the same rules."""

import re
from pathlib import Path

import pytest
from factories import make_account
from fastapi.routing import iter_route_contexts
from jinja2 import Environment, nodes

from backend import domains
from backend.accounts.tables import Role
from backend.web.pages import Page

PROJECT = Path(__file__).parents[2]
TEMPLATES = PROJECT / "frontend" / "templates"
ROUTES = [route for router in domains.PAGE_ROUTERS for route in iter_route_contexts(router.routes)]
UNSAFE = [route for route in ROUTES if route.methods - {"GET", "HEAD", "OPTIONS"}]
PAGES = sorted(
    {page for direct in Page.__subclasses__() for page in [direct, *direct.__subclasses__()]},
    key=lambda page: page.__qualname__,
)


def fill(path: str) -> str:
    """Return an address of a route, with ids that nobody has."""

    def value(match: re.Match[str]) -> str:
        name = match[1].split(":")[0]
        return {"kind": "supply"}.get(name, "00000000-0000-4000-8000-000000000000")

    return re.sub(r"\{([^}]+)\}", value, path)


def test_route_names_are_domain_dot_verb_and_unique_for_each_address():
    names = {}
    for route in ROUTES:
        domain, _, verb = route.name.partition(".")
        assert domain, route.path
        assert verb, route.path
        names.setdefault(route.name, set()).add(route.path)

    assert {name: paths for name, paths in names.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("route", UNSAFE, ids=lambda route: route.name)
def test_a_change_without_the_form_token_is_refused(client, session, route):
    for role in Role:
        client.cookies.clear()
        client.sign_in(make_account(session, role=role))

        answer = client.request(next(iter(route.methods)), fill(route.path), data={}, follow_redirects=False)

        assert answer.status_code in {403, 404}, (role, answer.status_code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.__qualname__)
def test_a_page_and_its_template_agree_on_every_name(page):
    for name in filter(None, (page.template, page.fragment)):
        source = (TEMPLATES / name).read_text()
        tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
        used = {
            node.attr
            for node in tree.find_all(nodes.Getattr)
            if isinstance(node.node, nodes.Name) and node.node.name == "page"
        }
        known = set(getattr(page, "__dataclass_fields__", {})) | {
            entry for entry in dir(page) if not entry.startswith("_")
        }

        assert used <= known, f"{name} uses {sorted(used - known)}"
