"""Pages: one frozen dataclass each, rendered whole or as the fragment that htmx asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import quote, unquote, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import iter_route_contexts
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.routing import BaseRoute

from backend.settings import Settings
from backend.web import csrf
from backend.web.assets import Assets
from backend.web.language import Language, Translations, speak

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
FLASH_COOKIE = "jq_flash"
LANGUAGE_COOKIE = "jq_language"
THEME_COOKIE = "jq_theme"
MODE_COOKIE = "jq_mode"
KEYS_COOKIE = "jq_keys"
THEMES = ("auto", "light", "dark")
MODES = ("standard", "elder")
LONGEST_FLASH = 300


@dataclass(frozen=True)
class Page:
    """What one template may see. A subclass names its template and, when htmx may ask for a part, its fragment."""

    template: ClassVar[str]
    fragment: ClassVar[str] = ""


@dataclass(frozen=True)
class Site:
    """Who runs this platform, as the foot of every page says."""

    name: str
    operator: str
    contact: str
    icp: str
    police: str
    identifier: str
    host: str


@dataclass(frozen=True)
class Viewer:
    """The signed-in person, as pages see them."""

    id: UUID
    display_name: str
    role: str
    unread: int = 0

    @property
    def is_member(self) -> bool:
        """Tell whether this is a member of an organisation."""
        return self.role == "member"

    @property
    def is_manager(self) -> bool:
        """Tell whether this is a technology manager."""
        return self.role == "manager"

    @property
    def is_moderator(self) -> bool:
        """Tell whether this person reviews listings."""
        return self.role == "moderator"

    @property
    def is_admin(self) -> bool:
        """Tell whether this person manages accounts."""
        return self.role == "administrator"

    @property
    def is_auditor(self) -> bool:
        """Tell whether this person reads the trail."""
        return self.role == "auditor"


@dataclass(frozen=True)
class Interface:
    """How this browser likes its pages."""

    language: Language
    theme: str
    mode: str
    path: str
    query: str
    keys: bool


@dataclass(frozen=True)
class Flash:
    """A message shown once, on the next page."""

    kind: Literal["info", "success", "warning", "error"]
    text: str
    title: str = ""


class Renderer:
    """The template environment of one application."""

    def __init__(self, folder: Path, assets: Assets, translations: Translations, settings: Settings) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=not settings.is_production,
            bytecode_cache=_compiled_pages(settings),
            extensions=["jinja2.ext.i18n"],
        )
        self.environment.install_gettext_callables(  # type: ignore[attr-defined]
            translations.translate,
            lambda one, many, count: translations.translate(one if count == 1 else many),
            newstyle=True,
        )
        self._translations = translations
        # The extension's own `_` looks itself up in every context and formats every text: a tenth of a long page.
        self.environment.globals["_"] = self._say
        site = Site(
            name="技桥",
            operator=settings.operator_name,
            contact=settings.operator_contact,
            icp=settings.icp_number,
            police=settings.police_number,
            identifier=settings.site_code,
            host=settings.base_url,
        )
        self.environment.globals.update(asset=assets.url, site=site)
        self.environment.filters["local"] = lambda moment: moment.astimezone(LOCAL_ZONE)

    def bind_routes(self, url: Any) -> None:
        """Let templates name routes: `url("listings.show", listing_id=…)`; other parameters go into the query."""
        self.environment.globals["url"] = url

    def compile_all(self) -> None:
        """Compile every page now, so that no visitor waits for it."""
        for name in self.environment.list_templates(extensions=["html"]):
            if not name.startswith("emails/"):
                self.environment.get_template(name)

    def _say(self, text: str, /, **variables: object) -> Markup:
        """Return a text in the language of the request; texts with a % sign are formatted, others stand as they are."""
        said = Markup(self._translations.translate(text))  # noqa: S704 - texts of templates, by us
        return said % variables if "%" in said else said

    def render(self, template: str, **context: object) -> str:
        """Return a template with these values filled in."""
        return self.environment.get_template(template).render(context)


def _compiled_pages(settings: Settings) -> FileSystemBytecodeCache:
    """Keep compiled pages beside the data: compiling takes seconds, and every process of the web starts with it."""
    folder = Path(settings.data_dir) / "compiled-pages"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


class Addresses:
    """Where every route of an application is, by name."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._paths = {
            context.name: context.path_format
            for context in iter_route_contexts(routes)
            if context.name and context.path_format
        }

    def build(self, name: str, **parameters: Any) -> str:
        """Return the address of a route; parameters its path lacks go into the query, empty ones nowhere."""
        if name not in self._paths:
            raise ValueError(f"no route is called {name!r}")
        path = self._paths[name]
        rest = []
        for key, value in parameters.items():
            if f"{{{key}}}" in path:
                path = path.replace(f"{{{key}}}", quote(str(value), safe=""))
            elif value not in (None, "", []):
                rest.append((key, value))
        if "{" in path:
            raise ValueError(f"the route {name!r} needs more than {sorted(parameters)}: {path}")
        return f"{path}?{urlencode(rest, doseq=True)}" if rest else path


def build_url(app: Any, name: str, **parameters: Any) -> str:
    """Return the address of a route of this application."""
    addresses: Addresses = app.state.addresses
    return addresses.build(name, **parameters)


def render(request: Request, page: Page, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a page, or with its fragment when htmx asked for that."""
    wants_fragment = bool(page.fragment) and request.headers.get("hx-request") == "true"
    is_boosted = request.headers.get("hx-boosted") == "true"
    template = page.fragment if wants_fragment and not is_boosted else page.template
    response = HTMLResponse(_fill(request, template, page), status_code=status, headers=dict(headers or {}))
    response.headers["Vary"] = "HX-Request, Cookie"
    response.headers.setdefault("Cache-Control", "no-store")
    _keep_cookies(request, response)
    return response


def _fill(request: Request, template: str, page: Page) -> str:
    platform = request.app.state.platform
    renderer: Renderer = request.app.state.renderer
    browser_id = _browser_id(request)
    return renderer.render(
        template,
        page=page,
        viewer=getattr(request.state, "viewer", None),
        csrf_token=csrf.make_token(platform.settings.signing_key, browser_id),
        ui=_interface(request),
        flashes=_read_flashes(request),
        now=platform.clock().astimezone(LOCAL_ZONE),
    )


def _browser_id(request: Request) -> str:
    """Return this browser's id, making one at its first visit."""
    known = request.cookies.get(csrf.COOKIE) or getattr(request.state, "browser_id", "")
    request.state.browser_id = known or csrf.new_browser_id()
    return str(request.state.browser_id)


def _interface(request: Request) -> Interface:
    cookies = request.cookies
    theme, mode = cookies.get(THEME_COOKIE, "auto"), cookies.get(MODE_COOKIE, "standard")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Interface(
        language=speak(cookies.get(LANGUAGE_COOKIE, "")),
        theme=theme if theme in THEMES else "auto",
        mode=mode if mode in MODES else "standard",
        path=path,
        query=request.query_params.get("q", ""),
        keys=cookies.get(KEYS_COOKIE) != "off",
    )


def _read_flashes(request: Request) -> list[Flash]:
    try:
        kept = json.loads(unquote(request.cookies.get(FLASH_COOKIE, "[]")))
        return [Flash(kind=item["kind"], text=str(item["text"])[:LONGEST_FLASH]) for item in kept]
    except (ValueError, KeyError, TypeError):
        return []


def _keep_cookies(request: Request, response: Response) -> None:
    is_secure = request.url.scheme == "https"
    if csrf.COOKIE not in request.cookies:
        response.set_cookie(
            csrf.COOKIE, request.state.browser_id, max_age=31_536_000, httponly=True, secure=is_secure, samesite="lax"
        )
    if FLASH_COOKIE in request.cookies:
        response.delete_cookie(FLASH_COOKIE)


def redirect(
    request: Request, target: str, *, flash: str = "", kind: Literal["info", "success", "warning", "error"] = "success"
) -> RedirectResponse:
    """Send the browser to a page of ours after a change, with a message for it to show once."""
    response = RedirectResponse(target if is_local(target) else "/", status_code=303)
    if flash:
        value = quote(json.dumps([{"kind": kind, "text": flash}], ensure_ascii=False))
        response.set_cookie(
            FLASH_COOKIE, value, max_age=60, httponly=True, secure=request.url.scheme == "https", samesite="lax"
        )
    return response


def is_local(target: str) -> bool:
    """Tell whether an address stays on this host: one leading slash, nothing a browser could read as a host."""
    return (
        target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
        and all(character.isprintable() for character in target)
    )


def absolute_time(moment: datetime) -> str:
    """Return a time as people read it here: 2026-11-22 14:05."""
    return moment.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M")
