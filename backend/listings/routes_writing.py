"""Writing a listing: which kind, the form, saving it, handing it in."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.dependencies import CurrentAccount, Now, PlatformDep, Source
from backend.database import SessionDep
from backend.errors import Conflict, Invalid
from backend.listings import service
from backend.listings.contents import read_content
from backend.listings.forms import collect_values, count_indicator_rows, read_listing
from backend.listings.pages import ChoosePage, author_of, edited_of, make_form_page
from backend.listings.tables import Kind, Listing, State
from backend.web.forms import FormDep, SubmittedForm
from backend.web.pages import build_url, redirect, render

router = APIRouter()
ADD_ROW = "add-row"
SUBMIT = "submit"
LONGEST_VERSION = 9
SENT_BEFORE = "同样的内容您已经提交过，没有再建一条。"


@router.get("/listings/new", name="listings.choose")
def choose(request: Request, account: CurrentAccount) -> Response:
    """Ask which of the two is to be posted."""
    return render(request, ChoosePage(has_organisation=account.organisation_id is not None))


@router.get("/listings/new/{kind}", name="listings.new")
def new(
    request: Request, kind: Kind, session: SessionDep, platform: PlatformDep, account: CurrentAccount, now: Now
) -> Response:
    """Show the empty form."""
    author = author_of(session, account)
    return render(request, make_form_page(platform.catalogue, author, kind=kind, values={}, now=now))


@router.post("/listings/new/{kind}", name="listings.create")
def create(
    request: Request,
    kind: Kind,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Keep a new listing as a draft or hand it in; show the form again when something is wrong."""
    typed = collect_values(form, kind=kind)
    show = partial(make_form_page, platform.catalogue, author_of(session, account), kind=kind, values=typed, now=now)
    if form.first("action") == ADD_ROW:
        return render(request, show(rows=count_indicator_rows(form) + 1))
    submit = form.first("action") == SUBMIT
    try:
        data = read_listing(form, kind=kind, catalogue=platform.catalogue, is_draft=not submit)
    except Invalid as error:
        return render(request, show(errors=error.errors), status=422)
    known = service.find_sent_before(session, data, kind=kind, owner=account, submit=submit)
    if known is not None:
        return redirect(request, build_url(request.app, "listings.own", listing_id=known.id), flash=SENT_BEFORE)
    listing = service.create_listing(session, data, kind=kind, owner=account, now=now, submit=submit, source=source)
    return _saved(request, listing, before=None)


@router.get("/listings/{listing_id:uuid}/edit", name="listings.edit")
def edit(
    request: Request, listing_id: UUID, session: SessionDep, platform: PlatformDep, account: CurrentAccount, now: Now
) -> Response:
    """Show the form with what a listing says now."""
    listing = service.get_own_bundle(session, listing_id, by=account).listing
    if listing.state not in service.EDITABLE:
        raise Conflict(f"这条{listing.kind.label}{listing.state.label}，不能再修改。", remedy="需要时请另发一条。")
    page = make_form_page(
        platform.catalogue,
        author_of(session, account),
        kind=listing.kind,
        values=read_content(session, listing),
        now=now,
        edited=edited_of(session, listing),
    )
    return render(request, page)


@router.post("/listings/{listing_id:uuid}/edit", name="listings.update")
def update(
    request: Request,
    listing_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Save a change; show the form again when something is wrong or the listing was changed elsewhere meanwhile."""
    listing = service.get_own_bundle(session, listing_id, by=account).listing
    before = listing.state
    show = partial(
        make_form_page,
        platform.catalogue,
        author_of(session, account),
        kind=listing.kind,
        values=collect_values(form, kind=listing.kind),
        now=now,
        edited=edited_of(session, listing),
    )
    if form.first("action") == ADD_ROW:
        return render(request, show(rows=count_indicator_rows(form) + 1))
    submit = form.first("action") == SUBMIT
    is_draft = not service.must_be_complete(before, submit=submit)
    try:
        data = read_listing(form, kind=listing.kind, catalogue=platform.catalogue, is_draft=is_draft)
        listing = service.update_listing(
            session,
            listing_id,
            data,
            by=account,
            now=now,
            submit=submit,
            seen_version=_seen_version(form),
            source=source,
        )
    except Invalid as error:
        return render(request, show(errors=error.errors), status=422)
    return _saved(request, listing, before=before)


def _seen_version(form: SubmittedForm) -> int | None:
    """Return the version that the author was looking at, as the form says."""
    text = form.first("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_VERSION else None


def _saved(request: Request, listing: Listing, *, before: State | None) -> Response:
    """Go to the listing's own page and say what became of it."""
    kind = listing.kind.label
    if listing.state is State.PENDING and before is State.PENDING:
        said = "修改已保存，审核员会看到新的内容。"
    elif listing.state is State.PENDING and before is State.PUBLISHED:
        said = f"修改已保存。您的单位尚未核实，这条{kind}要重新审核，通过之前暂不公开。"
    elif listing.state is State.PENDING:
        said = f"这条{kind}已提交审核，结果会发邮件告诉您。"
    elif listing.state is State.PUBLISHED:
        said = "修改已保存，公开的内容已经更新。"
    elif listing.state is State.DRAFT:
        said = "草稿已保存，只有您能看到。"
    else:
        said = f"修改已保存，这条{kind}仍是{listing.state.label}。"
    return redirect(request, build_url(request.app, "listings.own", listing_id=listing.id), flash=said)
