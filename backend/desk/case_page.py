"""How the page of a case is put together from its tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from backend.desk import clock, decisions, files, introductions, repository, repository_cases
from backend.desk.decisions import UNDO_TAKING_FOR
from backend.desk.introductions import Contact
from backend.desk.pages import Errors, Options, remains_of_pair
from backend.desk.pages_cases import (
    EXITS,
    CasePage,
    ContractLine,
    FileLine,
    SideState,
    StepLine,
    Values,
)
from backend.desk.stages import Stage, may_exit, may_move, plain_moves
from backend.desk.tables import Case
from backend.desk.tables_pipeline import CaseStep, Contract, ContractKind, Introduction, StepKind
from backend.desk.visits import Visit
from backend.errors import NotFound
from backend.listings.cards import place_name
from backend.listings.tables import IpKind, Kind
from backend.matching.pair_page import PairPage, load_pair, make_pair_page
from backend.policy.catalogue import Catalogue
from backend.policy.entries import Level
from backend.web.pages import LOCAL_ZONE

CONTRACT_KINDS: Options = tuple((kind.value, kind.label) for kind in ContractKind)
IP_KINDS: Options = tuple((kind.value, kind.label) for kind in IpKind)
KIB, MIB = 1024, 1024 * 1024


def get_case(visit: Visit, case: Case | None) -> Case:
    """Return a case that is the visitor's own. Raises: NotFound."""
    if case is None or case.manager_id != visit.manager.id:
        raise NotFound("没有这次接洽，或者它不是由您负责的。", remedy="请在“接洽进度”里查找。")
    return case


def make_case_page(visit: Visit, case: Case, *, values: Values | None = None, errors: Errors = ()) -> CasePage:
    """Return the page of one case; `values` and `errors` are those of a form that was not accepted."""
    session, manager = visit.session, visit.manager
    demand, supply = load_pair(session, case.demand_id, case.supply_id)
    page = make_pair_page(session, demand, supply, platform=visit.platform, reader=manager)
    row = repository.find_recommendation(session, manager.id, supply_id=case.supply_id, demand_id=case.demand_id)
    spans = [(one.from_on, one.until_on) for one in repository_cases.find_absences(session, manager.id)]
    is_open = case.closed_at is None
    introduction = repository_cases.find_introduction(session, case.id)
    contract = session.get(Contract, case.id)
    supposed = {"buyer_region": demand.listing.region_code, "seller_region": supply.listing.region_code}
    return CasePage(
        id=case.id,
        version=case.version,
        recommendation_id=row.id if row else None,
        pair=page if isinstance(page, PairPage) else None,
        remains=() if isinstance(page, PairPage) else remains_of_pair(page),
        taken_at=_local(case.taken_at),
        can_undo=row is not None and is_open and case.version == 1 and decisions.can_give_back(case, now=visit.now),
        undo_minutes=int(UNDO_TAKING_FOR.total_seconds() // 60),
        stage=case.stage.value,
        stage_word=case.stage.label,
        stages=stage_steps(case),
        moves=[(stage.value, stage.label) for stage in plain_moves(case.stage)] if is_open else [],
        can_sign=is_open and (case.stage is Stage.SIGNED or may_move(case.stage, Stage.SIGNED)),
        can_end=is_open and may_exit(case.stage),
        is_open=is_open,
        ended=ended_text(case),
        quiet_days=clock.quiet_days(case.stepped_at, visit.now, spans) if is_open else 0,
        next_step=case.next_step,
        next_on=case.next_on,
        steps=[_line(step, name) for step, name in repository_cases.find_steps(session, case.id)],
        files=[
            FileLine(file.id, file.name, size_text(file.size_bytes), _local(file.at))
            for file in repository_cases.find_files(session, case.id)
        ],
        accepted=files.ACCEPTED,
        allowed=files.ALLOWED,
        colleagues=colleague_options(visit) if is_open else [],
        exits=EXITS,
        introduced_at=_local(introduction.sent_at) if introduction else None,
        sides=_sides(visit, introduction) if introduction else (),
        contract=_contract(contract, visit.platform.catalogue) if contract else None,
        contract_kinds=CONTRACT_KINDS,
        ip_kinds=IP_KINDS,
        places=place_options(visit.platform.catalogue),
        values={**supposed, **(contract_values(contract) if contract else {}), **_next(case), **(values or {})},
        errors=errors,
    )


def stage_steps(case: Case) -> list[Mapping[str, str]]:
    """Return the stages in order, each done, current or still to come."""

    def state(stage: Stage) -> str:
        if stage is case.stage:
            return "error" if case.exit_reason else "current"
        return "done" if stage.place < case.stage.place else "todo"

    return [{"label": stage.label, "state": state(stage)} for stage in Stage]


def ended_text(case: Case) -> str:
    """Say how a case ended, if it did."""
    if case.closed_at is None:
        return ""
    day = f"{_local(case.closed_at):%Y-%m-%d}"
    return f"{day} 结束：{case.exit_reason.label}" if case.exit_reason else f"{day} 合同已登记"


def colleague_options(visit: Visit) -> Options:
    """Return the managers to whom something can be passed on, each with how much there is on the desk."""
    found = repository_cases.find_colleagues(visit.session, visit.manager)
    return [(str(one.id), f"{one.display_name}（接洽中 {count} 个）") for one, count in found]


def place_options(catalogue: Catalogue) -> Options:
    """Return the places of a contract, down to the district, as people say them."""
    chosen = (Level.PROVINCE, Level.CITY, Level.DISTRICT)
    return [(one.code, place_name(catalogue, one.code)) for one in catalogue.regions.values() if one.level in chosen]


def size_text(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / MIB:.1f} MB" if size >= MIB else f"{max(size / KIB, 0.1):.1f} KB"


def wan_text(yuan: int) -> str:
    """Return an amount in 万元."""
    return f"{(Decimal(yuan) / 10_000).normalize():,f} 万元"


def contract_values(contract: Contract) -> dict[str, object]:
    """Return what the form of a contract shows of one that is kept."""
    return {
        "kind": contract.kind.value,
        "number": contract.number,
        "total": f"{(Decimal(contract.total_yuan) / 10_000).normalize():f}",
        "technology": f"{(Decimal(contract.technology_yuan) / 10_000).normalize():f}",
        "ip_kind": contract.ip_kind.value if contract.ip_kind else "",
        "buyer_region": contract.buyer_region,
        "seller_region": contract.seller_region,
        "plan_source": contract.plan_source,
        "signed_on": contract.signed_on,
    }


def contact_facts(contact: Contact) -> Options:
    """Return contact details as pairs of name and value."""
    return [
        ("单位", contact.organisation),
        ("联系人", contact.name),
        ("电话", contact.phone),
        ("邮箱", contact.email),
    ]


def _contract(contract: Contract, catalogue: Catalogue) -> ContractLine:
    facts = [
        ("合同类别", contract.kind.label),
        ("合同编号", contract.number),
        ("成交额", wan_text(contract.total_yuan)),
        ("其中技术交易额", wan_text(contract.technology_yuan)),
        ("知识产权类别", contract.ip_kind.label if contract.ip_kind else "未涉及知识产权"),
        ("买方所在地", place_name(catalogue, contract.buyer_region)),
        ("卖方所在地", place_name(catalogue, contract.seller_region)),
        ("计划来源", contract.plan_source),
        ("签约日期", contract.signed_on.isoformat()),
    ]
    if contract.registered_on:
        facts += [("登记编号", contract.registration_number), ("登记日期", contract.registered_on.isoformat())]
    return ContractLine(facts, contract.registered_on is not None)


def _sides(visit: Visit, introduction: Introduction) -> Sequence[SideState]:
    consents = repository_cases.find_consents(visit.session, introduction.id)
    contacts = introductions.contacts_of(visit.session, introduction)
    return [
        SideState(
            side.value,
            f"{side.label}方",
            consents[side].answer.label,
            contact_facts(contacts[side]) if side in contacts else (),
        )
        for side in (Kind.DEMAND, Kind.SUPPLY)
    ]


def _line(step: CaseStep, name: str) -> StepLine:
    title = step.kind.label
    if step.from_stage is not None and step.from_stage is not step.to_stage:
        title = f"{title}：{step.from_stage.label} → {step.to_stage.label}"
    return StepLine(_local(step.at), title, _said(step), name or "平台")


def _said(step: CaseStep) -> str:
    """Return what a step adds to its title: the text, the reason, the day, the side."""
    detail = step.detail
    if step.kind is StepKind.NUDGED:
        return f"已有 {detail.get('days')} 天没有新的记录，第 {detail.get('number')} 次提醒"
    if step.kind is StepKind.HANDED_OVER:
        return "；".join(part for part in (f"{detail.get('from')} → {detail.get('to')}", step.text) if part)
    named = ("reason", "side", "on", "contract", "number")
    return "；".join(part for part in (step.text, *(str(detail[name]) for name in named if detail.get(name))) if part)


def _next(case: Case) -> dict[str, object]:
    return {"next_step": case.next_step, "next_on": case.next_on}


def _local(moment: datetime) -> datetime:
    return moment.astimezone(LOCAL_ZONE)
