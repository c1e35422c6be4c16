"""What is looked at on every page: axe, headings, width, and what the page asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Request

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDE, PHONE, HEIGHT = 1280, 360, 900
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ON_A_PHONE = {"type": "rule", "values": ["color-contrast", "target-size"]}
# What a mail looks like inside its frame is looked at in test_mail_looks.
RUN_AXE = """async (rules) => (await axe.run(document,
  {runOnly: rules, iframes: false, preload: false, selectors: false, resultTypes: ['violations']}))
  .violations.map(found => [found.id, found.nodes.slice(0, 4).map(node => node.html.slice(0, 160))])"""
READ_PAGE = """() => ({
  title: document.title.trim(),
  lang: document.documentElement.lang,
  headings: [...document.querySelectorAll('h1')].map(heading => heading.innerText.trim()),
})"""
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Inspector:
    """One browser that looks at pages; `faults` says of each what is wrong with it."""

    context: BrowserContext
    host: str
    faults: list[tuple[str, Any]] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context.add_init_script(path=AXE)
        self.page: Page = self.context.new_page()
        self.where = ""
        self.page.on("console", lambda said: self._complain(said.text) if said.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.on("request", self._note_strangers)

    def look(self, name: str, path: str, *, status: int = 200) -> None:
        """Open an address and look at it, wide and on a phone."""
        self.where, self.status = name, status
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        answer = self.page.goto(self.host + path)
        if answer is None or answer.status != status:
            self.faults.append((name, f"{path} answered {answer and answer.status}"))
        else:
            self._examine(name)

    def submit(self, name: str, path: str, button: str) -> None:
        """Send the form of a page as it is, and look at what it answers."""
        self.where, self.status = name, 422
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        self.page.goto(self.host + path)
        self.page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
        self.page.get_by_role("main").get_by_role("alert").wait_for()
        self._examine(name)

    def _examine(self, name: str) -> None:
        self.faults += [(name, fault) for fault in [*self._page_faults(name), *self._axe(EVERYTHING)]]
        self.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
        self.faults += [(f"{name} on a phone", fault) for fault in self._axe(ON_A_PHONE)]
        if self.page.evaluate(SIDEWAYS):
            self.faults.append((name, "scrolls sideways on a phone"))

    def _page_faults(self, name: str) -> Iterator[Any]:
        read = self.page.evaluate(READ_PAGE)
        if len(read["headings"]) != 1 or not read["headings"][0]:
            yield "one h1, please", read["headings"]
        if not read["title"].partition("·")[0].strip():
            yield "has no title of its own", read["title"]
        if read["lang"] != "zh-CN":
            yield "lang", read["lang"]
        other = self.titles.setdefault(read["title"], name)
        if other.partition(" ")[0] != name.partition(" ")[0]:
            yield f"has the title of {other}", read["title"]

    def _axe(self, rules: dict[str, Any]) -> list[Any]:
        return self.page.evaluate(RUN_AXE, rules)

    def _complain(self, text: str) -> None:
        # Chromium itself reports an answer that is no success; where one is expected that is no fault.
        if self.status == 200 or "Failed to load resource" not in text:
            self.faults.append((self.where, f"console: {text}"))

    def _note_strangers(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:")):
            self.faults.append((self.where, f"asked {request.url}"))
