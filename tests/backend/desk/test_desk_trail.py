"""Every route of the desk that changes something leaves exactly one entry in the trail; generated over the router."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from factories import MONDAY
from fastapi.routing import iter_route_contexts
from recommending import make_manager, make_pair, only_row, recommend
from sqlmodel import func, select

from backend import domains
from backend.accounts.tables import Account, TrailEntry
from backend.desk import cases, decisions, introductions
from backend.desk.cases import Deed
from backend.desk.stages import Stage
from backend.desk.tables import Case, ManagerAbsence
from backend.desk.tables_pipeline import CaseFile, Introduction
from backend.listings.tables import Kind, Listing

ROUTES = [route for router in domains.PAGE_ROUTERS for route in iter_route_contexts(router.routes)]
CHANGING = sorted(
    {route.name for route in ROUTES if route.name.startswith("desk.") and route.methods - {"GET", "HEAD"}}
)
CONTRACT = {
    "kind": "licence",
    "total": "90",
    "technology": "50",
    "buyer_region": "130200",
    "seller_region": "110108",
    "signed_on": "2026-11-20",
}
PDF = {"file": ("报告.pdf", b"%PDF-1.7 report", "application/pdf")}


@dataclass
class Scene:
    """A manager with one recommended pair, and whatever a route needs beyond it."""

    session: Any
    client: Any
    manager: Account
    row: Any
    other: Account

    def case(self, *stages: Stage) -> Case:
        case = decisions.take(self.session, self.row.id, by=self.manager, now=MONDAY)
        for stage in stages:
            cases.move(self.session, case.id, to=stage, deed=Deed(self.manager, MONDAY))
        return case

    def signed(self) -> Case:
        case = self.case(Stage.INTENT)
        self.session.commit()
        assert self.post(f"cases/{case.id}/sign", CONTRACT).status_code == 200
        return case

    def introduced(self, *, agreed: bool = False) -> str:
        decisions.take(self.session, self.row.id, by=self.manager, now=MONDAY, message="")
        introduction = self.session.exec(select(Introduction)).one()
        owner = self.session.get(Account, self.session.get(Listing, self.row.demand_id).owner_id)
        if agreed:
            deed = Deed(owner, MONDAY)
            introductions.answer(self.session, introduction.id, side=Kind.DEMAND, agrees=True, deed=deed)
        self.session.commit()
        self.client.cookies.clear()
        self.client.sign_in(owner)
        return f"/introductions/{introduction.id}/demand"

    def post(self, path: str, data: dict[str, str] | None = None, **more: Any) -> Any:
        target = path if path.startswith("/") else f"/desk/{path}"
        return self.client.submit(target, data or {}, **more)

    def recommendation(self, verb: str, data: dict[str, str] | None = None) -> tuple[str, dict[str, str]]:
        return f"recommendations/{self.row.id}/{verb}", data or {}


def _file(scene: Scene) -> str:
    case = scene.case()
    scene.session.commit()
    scene.post(f"cases/{case.id}/files", files=PDF)
    return f"files/{scene.session.exec(select(CaseFile)).one().id}/remove"


def _absence(scene: Scene) -> str:
    scene.post("absences", {"from_on": "2026-12-01", "until_on": "2026-12-05"})
    return f"absences/{scene.session.exec(select(ManagerAbsence)).one().id}/remove"


def _undone(scene: Scene) -> tuple[str, dict[str, str]]:
    scene.post(*scene.recommendation("dismiss", {"reason": "money"}))
    return scene.recommendation("undo")


SCENES: dict[str, Callable[[Scene], tuple[str, dict[str, str]]]] = {
    "desk.take": lambda scene: scene.recommendation("take"),
    "desk.take_and_introduce": lambda scene: scene.recommendation("introduce", {"message": "您好"}),
    "desk.dismiss": lambda scene: scene.recommendation("dismiss", {"reason": "wrong_topic"}),
    "desk.snooze": lambda scene: scene.recommendation("snooze", {"days": "day", "on": "2026-12-24"}),
    "desk.hand_on": lambda scene: scene.recommendation("hand-on", {"to": str(scene.other.id)}),
    "desk.undo": _undone,
    "desk.move": lambda scene: (f"cases/{scene.case().id}/move", {"stage": "talks"}),
    "desk.note": lambda scene: (f"cases/{scene.case().id}/note", {"text": "打过电话"}),
    "desk.plan": lambda scene: (f"cases/{scene.case().id}/plan", {"next_step": "寄样品", "next_on": "2026-12-01"}),
    "desk.hand_over": lambda scene: (f"cases/{scene.case().id}/hand-over", {"to": str(scene.other.id)}),
    "desk.end": lambda scene: (f"cases/{scene.case().id}/end", {"reason": "price"}),
    "desk.introduce": lambda scene: (f"cases/{scene.case().id}/introduce", {"message": ""}),
    "desk.sign": lambda scene: (f"cases/{scene.case(Stage.INTENT).id}/sign", CONTRACT),
    "desk.unsign": lambda scene: (f"cases/{scene.signed().id}/unsign", {"note": "对方撤资"}),
    "desk.register": lambda scene: (
        f"cases/{scene.signed().id}/register",
        {"registration_number": "2026-1", "registered_on": "2026-11-23"},
    ),
    "desk.add_file": lambda scene: (f"cases/{scene.case().id}/files", {}),
    "desk.remove_file": lambda scene: (_file(scene), {}),
    "desk.save_profile": lambda _scene: ("profile", {"regions": "130200", "personalised": "1", "capacity": "5"}),
    "desk.add_absence": lambda _scene: ("absences", {"from_on": "2026-12-01", "until_on": "2026-12-05"}),
    "desk.remove_absence": lambda scene: (_absence(scene), {}),
    "desk.reset_learning": lambda _scene: ("learning/reset", {}),
    "desk.switch_personal": lambda _scene: ("personal", {"personalised": "0"}),
    "desk.agree": lambda scene: (f"{scene.introduced()}/agree", {"consent": "1"}),
    "desk.decline": lambda scene: (f"{scene.introduced()}/decline", {}),
    "desk.take_back": lambda scene: (f"{scene.introduced(agreed=True)}/take-back", {}),
}


@pytest.fixture
def scene(session, platform, client) -> Scene:
    manager = make_manager(session)
    make_pair(session, platform)
    recommend(session, platform)
    row, other = only_row(session, manager), make_manager(session)
    session.commit()
    client.sign_in(manager)
    return Scene(session, client, manager, row, other)


@pytest.mark.parametrize("name", CHANGING)
def test_a_change_leaves_exactly_one_entry_in_the_trail(scene, name):
    path, data = SCENES[name](scene)
    scene.session.commit()
    before = scene.session.exec(select(func.count()).select_from(TrailEntry)).one()

    answer = scene.post(path, data, **({"files": PDF} if name == "desk.add_file" else {}))

    assert answer.status_code == 200, answer.text[-2000:]
    assert scene.session.exec(select(func.count()).select_from(TrailEntry)).one() == before + 1


@pytest.mark.parametrize("name", CHANGING)
def test_somebody_else_changes_nothing(scene, name):
    path, data = SCENES[name](scene)
    scene.session.commit()
    scene.client.cookies.clear()
    scene.client.sign_in(make_manager(scene.session))
    before = scene.session.exec(select(func.count()).select_from(TrailEntry)).one()
    if name in {"desk.save_profile", "desk.add_absence", "desk.reset_learning", "desk.switch_personal"}:
        return  # these have no subject of another person: they change one's own

    answer = scene.post(path, data, **({"files": PDF} if name == "desk.add_file" else {}))

    assert answer.status_code == 404
    assert scene.session.exec(select(func.count()).select_from(TrailEntry)).one() == before
