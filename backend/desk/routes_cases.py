"""The pipeline and its cases: every view of them, and everything that can be done with one."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from io import BytesIO
from typing import Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from backend.accounts.dependencies import Source
from backend.desk import cases, files, introductions
from backend.desk.case_page import get_case, make_case_page
from backend.desk.cases import Deed
from backend.desk.forms import HandOnForm
from backend.desk.forms_cases import (
    ContractForm,
    EndForm,
    MessageForm,
    MoveForm,
    NoteForm,
    PlanForm,
    ReasonForm,
    RegisterForm,
    in_yuan,
)
from backend.desk.pipeline_page import VIEW_CODES, make_pipeline_page, pipeline_as_csv
from backend.desk.stages import Stage
from backend.desk.tables import Case
from backend.desk.tables_pipeline import CaseFile, Contract
from backend.desk.visits import Visit, VisitDep
from backend.errors import Invalid, NotFound
from backend.web.forms import FormDep, SubmittedForm, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter()
LONGEST_VERSION = 9
Form = TypeVar("Form", bound=BaseModel)
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@router.get("/pipeline", name="desk.pipeline")
def show_pipeline(request: Request, visit: VisitDep) -> Response:
    """Show a manager's cases as a board, a table or a calendar."""
    asked = request.query_params
    view = asked.get("view", "")
    stage = Stage(asked["stage"]) if asked.get("stage", "") in set(Stage) else None
    month = MONTH.fullmatch(asked.get("month", ""))
    today = visit.now.astimezone(LOCAL_ZONE).date()
    first = date(int(month[1]), int(month[2]), 1) if month else today.replace(day=1)
    known = view if view in VIEW_CODES else "board"
    return render(request, make_pipeline_page(visit, view=known, stage=stage, month=first))


@router.get("/pipeline.csv", name="desk.pipeline_csv")
def download_pipeline(visit: VisitDep) -> Response:
    """Download all cases of a manager as a table."""
    headers = {"Content-Disposition": 'attachment; filename="jiqiao-cases.csv"'}
    return Response(pipeline_as_csv(visit).encode(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/cases/{case_id}", name="desk.case")
def show_case(request: Request, case_id: UUID, visit: VisitDep) -> Response:
    """Show a pair that the manager works on, with everything that happened."""
    return render(request, make_case_page(visit, get_case(visit, visit.session.get(Case, case_id))))


@router.post("/cases/{case_id}/move", name="desk.move")
def move(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Bring a case to another stage."""

    def act(said: MoveForm, deed: Deed) -> None:
        cases.move(visit.session, case_id, to=said.stage, deed=deed)

    values = {"stage": form.first("stage")}
    return _submitted(visit, case_id, form, source, MoveForm, values, act, "已移动。")


@router.post("/cases/{case_id}/note", name="desk.note")
def note(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Write down what happened."""

    def act(said: NoteForm, deed: Deed) -> None:
        cases.note(visit.session, case_id, text=said.text, deed=deed)

    return _submitted(visit, case_id, form, source, NoteForm, {"text": form.first("text")}, act, "已记录。")


@router.post("/cases/{case_id}/plan", name="desk.plan")
def plan(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Say what is to be done next."""

    def act(said: PlanForm, deed: Deed) -> None:
        cases.plan(visit.session, case_id, text=said.next_step, on=said.next_on, deed=deed)

    values = {"next_step": form.first("next_step"), "next_on": form.first("next_on")}
    return _submitted(visit, case_id, form, source, PlanForm, values, act, "下一步已保存。")


@router.post("/cases/{case_id}/hand-over", name="desk.hand_over")
def hand_over(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Give a case to another manager."""

    def act(said: HandOnForm, deed: Deed) -> None:
        cases.hand_over(visit.session, case_id, to=said.to, deed=deed, note=said.note)

    values = {"to": form.first("to"), "note": form.first("note")}
    return _submitted(visit, case_id, form, source, HandOnForm, values, act, "已转交。", leaves=True)


@router.post("/cases/{case_id}/end", name="desk.end")
def end(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """End a case without a contract."""

    def act(said: EndForm, deed: Deed) -> None:
        cases.end(visit.session, case_id, reason=said.reason, deed=deed, note=said.note)

    values = {"reason": form.first("reason"), "note": form.first("note")}
    return _submitted(visit, case_id, form, source, EndForm, values, act, "这次接洽已结束，理由已记下。")


@router.post("/cases/{case_id}/introduce", name="desk.introduce")
def introduce(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Send an expression of interest to both sides."""

    def act(said: MessageForm, deed: Deed) -> None:
        introductions.introduce(visit.session, case_id, message=said.message, deed=deed)

    values = {"message": form.first("message")}
    done = "已推荐给双方，邮件马上发出。双方都同意后，这里会显示联系方式。"
    return _submitted(visit, case_id, form, source, MessageForm, values, act, done)


@router.post("/cases/{case_id}/sign", name="desk.sign")
def sign(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Keep the contract of a case."""

    def act(said: ContractForm, deed: Deed) -> None:
        contract = Contract(
            case_id=case_id,
            kind=said.kind,
            number=said.number,
            total_yuan=in_yuan(said.total),
            technology_yuan=in_yuan(said.technology),
            ip_kind=said.ip_kind,
            buyer_region=said.buyer_region,
            seller_region=said.seller_region,
            plan_source=said.plan_source,
            signed_on=said.signed_on,
            by_id=visit.manager.id,
            at=visit.now,
        )
        cases.sign(visit.session, case_id, contract=contract, deed=deed)

    values = {name: form.first(name) for name in ContractForm.model_fields}
    return _submitted(visit, case_id, form, source, ContractForm, values, act, "合同已保存。")


@router.post("/cases/{case_id}/unsign", name="desk.unsign")
def unsign(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Take back a contract that was not registered."""

    def act(said: ReasonForm, deed: Deed) -> None:
        cases.unsign(visit.session, case_id, deed=deed, note=said.note)

    values = {"note": form.first("note")}
    return _submitted(visit, case_id, form, source, ReasonForm, values, act, "签约已撤回，接洽回到“意向”。")


@router.post("/cases/{case_id}/register", name="desk.register")
def register(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Note the registration of a contract."""

    def act(said: RegisterForm, deed: Deed) -> None:
        number, on = said.registration_number, said.registered_on
        cases.register(visit.session, case_id, number=number, on=on, deed=deed)

    values = {name: form.first(name) for name in RegisterForm.model_fields}
    return _submitted(visit, case_id, form, source, RegisterForm, values, act, "合同登记已记下，这次接洽圆满结束。")


@router.post("/cases/{case_id}/files", name="desk.add_file")
def add_file(case_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Keep a file with a case."""
    sent = form.files.get("file")
    try:
        files.add_file(
            visit.session,
            case_id,
            name=(sent.filename or "") if sent else "",
            stream=sent.file if sent else BytesIO(),
            settings=visit.platform.settings,
            deed=_deed(visit, form, source),
        )
    except Invalid as error:
        return _again(visit, case_id, {}, error)
    return redirect(visit.request, _address(visit, case_id, "files"), flash="文件已保存。")


@router.get("/files/{file_id}", name="desk.file")
def download_file(file_id: UUID, visit: VisitDep) -> Response:
    """Download a file of one's own case; it is never shown within our pages."""
    kept = visit.session.get(CaseFile, file_id)
    if kept is None or kept.removed_at is not None:
        raise NotFound("没有这个文件，它可能已经移除。")
    get_case(visit, visit.session.get(Case, kept.case_id))
    path = files.path_of(kept.id, visit.platform.settings)
    if not path.is_file():
        raise NotFound("这个文件的内容已经丢失。", remedy="请联系管理员从备份中恢复，记录还在。")
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"}
    return FileResponse(path, media_type=kept.media_type, filename=kept.name, headers=headers)


@router.post("/files/{file_id}/remove", name="desk.remove_file")
def remove_file(file_id: UUID, form: FormDep, visit: VisitDep, source: Source) -> Response:
    """Take a file away from a case."""
    kept = files.remove_file(visit.session, file_id, deed=_deed(visit, form, source))
    return redirect(visit.request, _address(visit, kept.case_id, "files"), flash="文件已移除。")


def _submitted(
    visit: Visit,
    case_id: UUID,
    form: SubmittedForm,
    source: str,
    model: type[Form],
    values: Mapping[str, Any],
    act: Callable[[Form, Deed], None],
    done: str,
    *,
    leaves: bool = False,
) -> Response:
    """Check a form about a case, do what it says, and go back to the page that it came from."""
    try:
        said = validate(model, values, context=visit.platform.catalogue)
    except Invalid as error:
        return _again(visit, case_id, values, error)
    act(said, _deed(visit, form, source))
    to_board = leaves or form.first("from") == "board"
    target = build_url(visit.request.app, "desk.pipeline") if to_board else _address(visit, case_id)
    return redirect(visit.request, target, flash=done)


def _again(visit: Visit, case_id: UUID, values: Mapping[str, Any], error: Invalid) -> Response:
    case = get_case(visit, visit.session.get(Case, case_id))
    errors = [(entry.field, entry.message) for entry in error.errors]
    return render(visit.request, make_case_page(visit, case, values=values, errors=errors), status=422)


def _deed(visit: Visit, form: SubmittedForm, source: str) -> Deed:
    seen = form.first("version")
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= LONGEST_VERSION else None
    return Deed(visit.manager, visit.now, source, known)


def _address(visit: Visit, case_id: UUID, part: str = "") -> str:
    return build_url(visit.request.app, "desk.case", case_id=case_id) + (f"#{part}" if part else "")
