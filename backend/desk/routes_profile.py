"""What a technology manager cares for."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.dependencies import Now, PlatformDep, Source
from backend.accounts.tables import Account
from backend.database import SessionDep
from backend.desk import profiles, repository, repository_cases
from backend.desk.forms import CHOSEN_LEVELS, LANGUAGES, AbsenceForm, ProfileForm
from backend.desk.pages import AbsenceLine, Errors, ProfilePage
from backend.desk.repository_cases import USUAL_CAPACITY
from backend.desk.tables import Certification, ManagerProfile
from backend.desk.visits import Manager
from backend.errors import Invalid
from backend.platform import Platform
from backend.policy.entries import Level
from backend.web.forms import FormDep, validate
from backend.web.pages import build_url, redirect, render

router = APIRouter()
NOTHING_SAID: Mapping[str, object] = {
    "regions": [],
    "fields": [],
    "industries": [],
    "languages": [],
    "certification": "",
    "capacity": USUAL_CAPACITY,
    "expertise": "",
    "prefers_cross_region": True,
    "personalised": True,
}


@router.get("/profile", name="desk.profile")
def show_profile(request: Request, session: SessionDep, platform: PlatformDep, manager: Manager) -> Response:
    """Show what the manager cares for."""
    profile = repository.find_profile(session, manager.id)
    page = _profile_page(platform, _profile_values(profile), is_new=profile is None)
    return render(request, replace(page, absences=_absences(session, manager)))


def _profile_values(profile: ManagerProfile | None) -> dict[str, object]:
    return {name: getattr(profile, name) for name in NOTHING_SAID} if profile else dict(NOTHING_SAID)


def _absences(session: SessionDep, manager: Account) -> list[AbsenceLine]:
    found = repository_cases.find_absences(session, manager.id)
    return [AbsenceLine(one.id, one.from_on, one.until_on) for one in found]


def _profile_page(
    platform: Platform, values: Mapping[str, object], *, is_new: bool, errors: Errors = ()
) -> ProfilePage:
    chosen = [region for region in platform.catalogue.regions.values() if region.level in CHOSEN_LEVELS]
    return ProfilePage(
        provinces=[(region.code, region.name) for region in chosen if region.level is Level.PROVINCE],
        cities=[(region.code, region.name) for region in chosen if region.level is Level.CITY],
        fields=[(one.code, one.name) for one in platform.catalogue.fields.values()],
        industries=[(one.code, f"{one.code} {one.name}") for one in platform.catalogue.industries.values()],
        languages=LANGUAGES,
        certifications=[(one.value, one.label) for one in Certification],
        values=values,
        is_new=is_new,
        errors=errors,
    )


@router.post("/profile", name="desk.save_profile")
def save_profile(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    manager: Manager,
    now: Now,
    source: Source,
) -> Response:
    """Keep what the manager cares for; the queue follows at once."""
    values = {
        "regions": form.every("regions"),
        "fields": form.every("fields"),
        "industries": form.every("industries"),
        "languages": form.every("languages"),
        "certification": form.first("certification"),
        "capacity": form.first("capacity", str(USUAL_CAPACITY)),
        "expertise": form.first("expertise"),
        "prefers_cross_region": form.first("prefers_cross_region") == "1",
        "personalised": form.first("personalised") == "1",
    }
    try:
        data = validate(ProfileForm, values, context=platform.catalogue)
    except Invalid as error:
        errors = [(entry.field, entry.message) for entry in error.errors]
        page = _profile_page(platform, values, is_new=False, errors=errors)
        return render(request, replace(page, absences=_absences(session, manager)), status=422)
    profiles.save_profile(session, data, by=manager, platform=platform, now=now, source=source)
    return redirect(request, build_url(request.app, "desk.queue"), flash="关注范围已保存，下面的推荐已按它更新。")


@router.post("/absences", name="desk.add_absence")
def add_absence(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    manager: Manager,
    now: Now,
    source: Source,
) -> Response:
    """Keep days on which the manager is away."""
    values = {"from_on": form.first("from_on"), "until_on": form.first("until_on")}
    try:
        said = validate(AbsenceForm, values)
    except Invalid as error:
        known = _profile_values(repository.find_profile(session, manager.id))
        errors = [(entry.field, entry.message) for entry in error.errors]
        page = _profile_page(platform, {**known, **values}, is_new=False, errors=errors)
        return render(request, replace(page, absences=_absences(session, manager)), status=422)
    profiles.add_absence(session, from_on=said.from_on, until_on=said.until_on, by=manager, now=now, source=source)
    target = build_url(request.app, "desk.profile") + "#absences"
    return redirect(request, target, flash="休假已登记。这些日子不推荐新的对子，也不计算没有进展的天数。")


@router.post("/absences/{absence_id}/remove", name="desk.remove_absence")
def remove_absence(
    request: Request,
    absence_id: UUID,
    form: FormDep,  # noqa: ARG001 - reading it checks the token
    session: SessionDep,
    manager: Manager,
    now: Now,
    source: Source,
) -> Response:
    """Take days of absence back."""
    profiles.remove_absence(session, absence_id, by=manager, now=now, source=source)
    return redirect(request, build_url(request.app, "desk.profile") + "#absences", flash="休假已取消。")
