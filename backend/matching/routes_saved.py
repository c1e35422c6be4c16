"""One's own saved searches: save, open, rename, put into the digest or out of it, delete."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from backend.accounts.dependencies import CurrentAccount, Now, PlatformDep, Source
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.errors import Invalid
from backend.matching import repository_saved, saved_searches
from backend.matching.query import read_query
from backend.matching.saved_page import SavedPage, make_saved_page
from backend.platform import Platform
from backend.web.forms import FormDep, Line, validate
from backend.web.pages import build_url, redirect, render

router = APIRouter(prefix="/my/searches")


class NameForm(BaseModel):
    """The name of a saved search."""

    name: Annotated[Line, Field(min_length=1, max_length=saved_searches.LONGEST_NAME, title="名称")]


@router.get("", name="matching.saved")
def show(request: Request, session: SessionDep, platform: PlatformDep, account: CurrentAccount) -> Response:
    """Show one's saved searches."""
    return render(request, _page(request, session, platform, account))


def _page(request: Request, session: Session, platform: Platform, account: Account, **changes: Any) -> SavedPage:
    return make_saved_page(
        repository_saved.find_own(session, account.id),
        account,
        catalogue=platform.catalogue,
        link=lambda query: build_url(request.app, "listings.search", **query.parameters()),
        **changes,
    )


@router.post("", name="matching.save_search")
def save(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Save the search that the form of the list holds."""
    pairs = [(name, value) for name, values in form.values.items() for value in values]
    query, _ = read_query(pairs, platform.catalogue)
    saved, is_new = saved_searches.save_search(
        session, account, query, catalogue=platform.catalogue, now=now, source=source
    )
    told = "已保存" if is_new else "这个搜索以前保存过，没有重复保存"
    return redirect(request, build_url(request.app, "matching.saved"), flash=f"{told}：{saved.name}")


@router.post("/{search_id:uuid}/name", name="matching.rename_search")
def rename(
    request: Request,
    search_id: UUID,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Give a saved search another name."""
    typed = form.first("name")
    try:
        data = validate(NameForm, {"name": typed})
    except Invalid as error:
        why = error.errors[0].message
        page = _page(request, session, platform, account, renamed=search_id, typed=typed, why=why)
        return render(request, page, status=422)
    saved_searches.rename_search(session, search_id, data.name, by=account, now=now, source=source)
    return redirect(request, build_url(request.app, "matching.saved"), flash="名称已保存。")


@router.post("/{search_id:uuid}/digest", name="matching.search_in_digest")
def put_in_digest(
    request: Request,
    search_id: UUID,
    form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Put a saved search into the digest, or take it out."""
    wanted = form.first("wanted") == "yes"
    saved = saved_searches.put_in_digest(session, search_id, wanted, by=account, now=now, source=source)
    told = f"“{saved.name}”有新结果时，会写进周报。" if wanted else f"“{saved.name}”不再写进周报。"
    return redirect(request, build_url(request.app, "matching.saved"), flash=told)


@router.post("/{search_id:uuid}/delete", name="matching.delete_search")
def delete(
    request: Request,
    search_id: UUID,
    _form: FormDep,
    session: SessionDep,
    account: CurrentAccount,
    now: Now,
    source: Source,
) -> Response:
    """Forget a saved search."""
    saved_searches.delete_search(session, search_id, by=account, now=now, source=source)
    return redirect(request, build_url(request.app, "matching.saved"), flash="保存的搜索已删除。")
