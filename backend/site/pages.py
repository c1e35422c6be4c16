"""The pages of the site itself."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from backend.matching.rows import Row
from backend.site.measurements import Measurements
from backend.web.pages import Page


@dataclass(frozen=True)
class RegionCount:
    """One of the three places with how much is published there, and where to read it."""

    name: str
    demands: int
    supplies: int
    demands_href: str
    supplies_href: str


@dataclass(frozen=True)
class HomePage(Page):
    """The first page."""

    template: ClassVar[str] = "site/home.html"

    regions: tuple[RegionCount, ...]
    demands: tuple[Row, ...]
    supplies: tuple[Row, ...]


@dataclass(frozen=True)
class MethodPage(Page):
    """How matching works, and how well."""

    template: ClassVar[str] = "site/method.html"

    encoder: str
    measurements: Measurements | None


@dataclass(frozen=True)
class HelpPage(Page):
    """What to do for what purpose, by role."""

    template: ClassVar[str] = "site/help.html"

    listing_days: int


@dataclass(frozen=True)
class ContactPage(Page):
    """Whom to turn to."""

    template: ClassVar[str] = "site/contact.html"


@dataclass(frozen=True)
class SitemapPage(Page):
    """Every page a visitor can open."""

    template: ClassVar[str] = "site/sitemap.html"

    fields: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AccessibilityPage(Page):
    """How the site can be used by everybody."""

    template: ClassVar[str] = "site/accessibility.html"


@dataclass(frozen=True)
class PrivacyPage(Page):
    """What is kept about people and why."""

    template: ClassVar[str] = "site/privacy.html"

    idle_minutes: int


@dataclass(frozen=True)
class ComponentsPage(Page):
    """Every component in every state, for those who build the site."""

    template: ClassVar[str] = "dev/components.html"

    today: date
    moment: datetime
