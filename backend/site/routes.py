"""The first page, the pages about the site, and how a browser likes them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field

from backend.accounts.dependencies import MaybeAccount, Now, PlatformDep
from backend.database import SessionDep
from backend.errors import NotFound
from backend.listings import repository as listings
from backend.listings.tables import Kind
from backend.matching.pages import Row, make_rows
from backend.platform import Platform
from backend.site.measurements import load_measurements
from backend.site.pages import (
    AccessibilityPage,
    ComponentsPage,
    ContactPage,
    HelpPage,
    HomePage,
    MethodPage,
    PrivacyPage,
    RegionCount,
    SitemapPage,
)
from backend.web.forms import Blank, FormDep, validate
from backend.web.language import Language
from backend.web.pages import (
    KEYS_COOKIE,
    LANGUAGE_COOKIE,
    LOCAL_ZONE,
    MODE_COOKIE,
    MODES,
    THEME_COOKIE,
    THEMES,
    build_url,
    redirect,
    render,
)

router = APIRouter()
SHOWN_LATEST = 10
A_YEAR_SECONDS = 31_536_000
KEYS = ("on", "off")
PREFERENCES: Mapping[str, str] = MappingProxyType(
    {"language": LANGUAGE_COOKIE, "theme": THEME_COOKIE, "mode": MODE_COOKIE, "keys": KEYS_COOKIE}
)
ROBOTS = """User-agent: *
Disallow: /dev/
Disallow: /api/
Disallow: /list.
"""


class PreferencesForm(BaseModel):
    """How a browser likes its pages; what is not sent stays as it is."""

    language: Annotated[Language | None, Blank] = Field(default=None, title="语言")
    theme: Annotated[str | None, Blank] = Field(default=None, title="颜色", pattern=f"^({'|'.join(THEMES)})$")
    mode: Annotated[str | None, Blank] = Field(default=None, title="版本", pattern=f"^({'|'.join(MODES)})$")
    keys: Annotated[str | None, Blank] = Field(default=None, title="快捷键", pattern=f"^({'|'.join(KEYS)})$")


@router.get("/", name="site.home")
def home(request: Request, session: SessionDep, platform: PlatformDep, account: MaybeAccount, now: Now) -> Response:
    """Show the first page."""
    latest = {kind: listings.find_latest(session, kind=kind, limit=SHOWN_LATEST) for kind in Kind}
    bundles = listings.load_bundles(session, [listing_id for ids in latest.values() for listing_id in ids])

    def rows(kind: Kind) -> tuple[Row, ...]:
        found = [bundles[listing_id] for listing_id in latest[kind] if listing_id in bundles]
        return make_rows(found, platform.catalogue, reader=account, now=now)

    counts = listings.count_published_by_province(session)
    regions = tuple(_region_count(request, platform, code, counts) for code in ("110000", "120000", "130000"))
    return render(request, HomePage(regions, demands=rows(Kind.DEMAND), supplies=rows(Kind.SUPPLY)))


def _region_count(
    request: Request, platform: Platform, code: str, counts: Mapping[tuple[str, Kind], int]
) -> RegionCount:
    demands_href, supplies_href = (
        build_url(request.app, "listings.search", kind=kind.value, region=code) for kind in (Kind.DEMAND, Kind.SUPPLY)
    )
    return RegionCount(
        name=platform.catalogue.region(code).short,
        demands=counts.get((code, Kind.DEMAND), 0),
        supplies=counts.get((code, Kind.SUPPLY), 0),
        demands_href=demands_href,
        supplies_href=supplies_href,
    )


@router.get("/method", name="site.method")
def method(request: Request, platform: PlatformDep) -> Response:
    """Tell how matching works."""
    return render(request, MethodPage(encoder=platform.encoder.name, measurements=load_measurements()))


@router.get("/help", name="site.help")
def show_help(request: Request, platform: PlatformDep) -> Response:
    """Tell what to do for what purpose."""
    return render(request, HelpPage(listing_days=platform.settings.listing_days))


@router.get("/contact", name="site.contact")
def contact(request: Request) -> Response:
    """Tell whom to turn to."""
    return render(request, ContactPage())


@router.get("/sitemap", name="site.sitemap")
def sitemap(request: Request, platform: PlatformDep) -> Response:
    """List the pages a visitor can open."""
    app, catalogue = request.app, platform.catalogue
    fields = ((field.name, build_url(app, "listings.search", field=code)) for code, field in catalogue.fields.items())
    places = (
        (region.name, build_url(app, "listings.search", region=region.code))
        for region in catalogue.regions.values()
        if region.parent is None
    )
    return render(request, SitemapPage(tuple(fields), tuple(places)))


@router.get("/accessibility", name="site.accessibility")
def accessibility(request: Request) -> Response:
    """Tell how the site can be used by everybody."""
    return render(request, AccessibilityPage())


@router.get("/privacy", name="site.privacy")
def privacy(request: Request, platform: PlatformDep) -> Response:
    """Tell what is kept about people and why."""
    return render(request, PrivacyPage(idle_minutes=platform.settings.session_idle_minutes))


@router.post("/preferences", name="site.preferences")
def keep_preferences(request: Request, form: FormDep) -> Response:
    """Keep how this browser likes its pages, and go back to where it was."""
    chosen = validate(PreferencesForm, {name: form.first(name) for name in PREFERENCES})
    response = redirect(request, form.first("next"))
    for name, cookie in PREFERENCES.items():
        value = getattr(chosen, name)
        if value is not None:
            response.set_cookie(
                cookie,
                str(value),
                max_age=A_YEAR_SECONDS,
                httponly=True,
                secure=request.url.scheme == "https",
                samesite="lax",
            )
    return response


@router.get("/dev/components", name="site.components")
def components(request: Request, platform: PlatformDep, now: Now) -> Response:
    """Show every component in every state; not on the real site."""
    if platform.settings.is_production:
        raise NotFound("没有这个页面。")
    moment = now.astimezone(LOCAL_ZONE)
    return render(request, ComponentsPage(today=moment.date(), moment=moment))


@router.get("/robots.txt", name="site.robots")
def robots() -> Response:
    """Tell crawlers what is not for them."""
    return PlainTextResponse(ROBOTS)
