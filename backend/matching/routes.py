"""What visitors see of the market: the list, a listing, a pair; and the list as a file."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.dependencies import CurrentAccount, MaybeAccount, Now, PlatformDep
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.errors import Conflict, Invalid, NotFound
from backend.listings import repository as listings
from backend.listings.forms import collect_values, count_indicator_rows
from backend.listings.pages import CheckPanel, author_of, find_edited, make_form_page
from backend.listings.tables import Kind
from backend.matching import service
from backend.matching.export import MOST_ROWS, load_public_cards, write_csv, write_json, write_xlsx
from backend.matching.feedback import FeedbackForm
from backend.matching.listing_page import make_listing_page, may_read
from backend.matching.pair_page import load_pair, make_pair_page, what_was_shown
from backend.matching.preview import preview, read_leniently
from backend.matching.query import SearchQuery, read_query
from backend.matching.saved_searches import find_saved
from backend.matching.search import find_all_ids, search
from backend.matching.search_page import LIST_FORMATS, Surroundings, make_search_page
from backend.policy.catalogue import Catalogue
from backend.web.forms import FormDep, validate
from backend.web.pages import LOCAL_ZONE, build_url, redirect, render

router = APIRouter()
LONGEST_RANK = 3


class ListFormat(StrEnum):
    """A kind of file."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


Writer = Callable[..., bytes]
WRITERS: Mapping[ListFormat, tuple[Writer, str]] = {
    ListFormat.CSV: (write_csv, "text/csv; charset=utf-8"),
    ListFormat.XLSX: (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ListFormat.JSON: (write_json, "application/json"),
}


@router.get("/listings", name="listings.search")
def show_list(
    request: Request, session: SessionDep, platform: PlatformDep, account: MaybeAccount, now: Now
) -> Response:
    """Show the published listings that the address asks for."""
    query, notes = read_query(request.query_params.multi_items(), platform.catalogue)
    result = search(session, query, platform)
    is_saved = account is not None and find_saved(session, account, query) is not None
    around = _surroundings(request, result.query, platform.catalogue, account, now, is_saved=is_saved)
    return render(request, make_search_page(result, notes, around))


@router.get("/list.{suffix}", name="matching.download")
def download(request: Request, suffix: ListFormat, session: SessionDep, platform: PlatformDep, now: Now) -> Response:
    """Hand out the list that the address asks for as a file: what the public sees, whoever asks."""
    query, _ = read_query(request.query_params.multi_items(), platform.catalogue)
    ids = find_all_ids(session, query, platform, limit=MOST_ROWS)
    cards = load_public_cards(session, ids, platform.catalogue)
    write, media_type = WRITERS[suffix]
    body = write(cards, platform.catalogue, host=platform.settings.base_url)
    name = f"供需对接清单-{now.astimezone(LOCAL_ZONE):%Y-%m-%d}.{suffix.value}"
    disposition = f"attachment; filename=\"list.{suffix.value}\"; filename*=UTF-8''{quote(name)}"
    return Response(body, media_type=media_type, headers={"Content-Disposition": disposition})


@router.get("/listings/{listing_id:uuid}", name="listings.show")
def show_listing(
    request: Request, listing_id: UUID, session: SessionDep, platform: PlatformDep, account: MaybeAccount, now: Now
) -> Response:
    """Show one listing with its matches, or what is left of it."""
    bundle = listings.find_bundle(session, listing_id)
    if bundle is None:
        raise NotFound("没有这条信息，它可能还没有发布。")
    return render(request, make_listing_page(session, bundle, platform=platform, reader=account, now=now))


@router.get("/pairs/{demand_id:uuid}/{supply_id:uuid}", name="matching.pair")
def show_pair(
    request: Request,
    demand_id: UUID,
    supply_id: UUID,
    session: SessionDep,
    platform: PlatformDep,
    account: MaybeAccount,
    rank: str = "",
) -> Response:
    """Show one pair, both sides beside each other."""
    demand, supply = load_pair(session, demand_id, supply_id)
    page = make_pair_page(session, demand, supply, platform=platform, reader=account, rank=_read_rank(rank))
    return render(request, page)


@router.post("/pairs/{demand_id:uuid}/{supply_id:uuid}", name="matching.feedback")
def give_feedback(
    request: Request,
    demand_id: UUID,
    supply_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
) -> Response:
    """Keep what the signed-in person says of a pair."""
    demand, supply = load_pair(session, demand_id, supply_id)
    if not all([may_read(demand, account), may_read(supply, account)]):
        raise Conflict("这一对中有一方已不再公开。")
    rank = _read_rank(form.first("rank"))
    try:
        said = validate(FeedbackForm, {name: form.first(name) for name in ("verdict", "reason", "level")})
    except Invalid as error:
        errors = [(entry.field, entry.message) for entry in error.errors]
        page = make_pair_page(session, demand, supply, platform=platform, reader=account, rank=rank, errors=errors)
        return render(request, page, status=422)
    level = said.level.value if said.level else ""
    shown = what_was_shown(demand, supply, platform=platform, seal=form.first("seal"), level=level, rank=rank)
    service.record_feedback(
        session,
        account,
        supply_id=supply_id,
        demand_id=demand_id,
        verdict=said.verdict,
        reason=said.kept_reason,
        shown=shown,
        now=now,
    )
    target = build_url(request.app, "matching.pair", demand_id=demand_id, supply_id=supply_id, rank=rank or "")
    return redirect(request, target, flash="已记下您的意见，今后的推荐会参考它。")


@router.post("/listings/check/{kind}", name="matching.check")
def check(
    request: Request,
    kind: Kind,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
) -> Response:
    """Show the posting form again as it was typed, with likely duplicates, matches and fields beside it."""
    author, values = author_of(session, account), collect_values(form, kind=kind)
    adopted = form.first("adopt")
    if adopted in platform.catalogue.fields:
        values["fields"] = list(dict.fromkeys([*values["fields"], adopted]))
    edited = find_edited(session, form.first("listing_id"), by=account)
    # A POST holds the writer's place from its first query on. Nothing is written here, so it is given up.
    session.close()
    draft = read_leniently(values, catalogue=platform.catalogue, region=author.region_code)
    exclude = edited.id if edited else None
    panel = CheckPanel(is_too_short=True)
    if draft is not None:
        with platform.reading() as reading:
            panel = preview(reading, draft, kind=kind, platform=platform, reader=account, now=now, exclude=exclude)
    page = make_form_page(
        platform.catalogue,
        author,
        kind=kind,
        values=values,
        now=now,
        edited=edited,
        check=panel,
        rows=count_indicator_rows(form),
    )
    return render(request, page)


def _surroundings(
    request: Request,
    query: SearchQuery,
    catalogue: Catalogue,
    reader: Account | None,
    now: datetime,
    *,
    is_saved: bool,
) -> Surroundings:
    app, held = request.app, query.parameters()
    held.pop("page", None)
    return Surroundings(
        catalogue=catalogue,
        reader=reader,
        now=now,
        link=lambda other: build_url(app, "listings.search", **other.parameters()),
        post_href={kind: build_url(app, "listings.new", kind=kind.value) for kind in Kind},
        help_href=build_url(app, "site.help") + "#search",
        download_href={name: build_url(app, "matching.download", suffix=name, **held) for name in LIST_FORMATS},
        is_saved=is_saved,
    )


def _read_rank(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_RANK else 0
