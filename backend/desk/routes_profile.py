"""What a technology manager cares for."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.accounts.dependencies import Now, PlatformDep, Source, require
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.desk import profiles, repository
from backend.desk.forms import CHOSEN_LEVELS, ProfileForm
from backend.desk.pages import Errors, ProfilePage
from backend.desk.tables import ManagerProfile
from backend.errors import Invalid
from backend.platform import Platform
from backend.policy.entries import Level
from backend.web.forms import FormDep, validate
from backend.web.pages import build_url, redirect, render

router = APIRouter()
Manager = Annotated[Account, require(Role.MANAGER)]
NOTHING_SAID: Mapping[str, object] = {
    "regions": [],
    "fields": [],
    "expertise": "",
    "prefers_cross_region": True,
    "personalised": True,
}


@router.get("/profile", name="desk.profile")
def show_profile(request: Request, session: SessionDep, platform: PlatformDep, manager: Manager) -> Response:
    """Show what the manager cares for."""
    profile = repository.find_profile(session, manager.id)
    return render(request, _profile_page(platform, _profile_values(profile), is_new=profile is None))


def _profile_values(profile: ManagerProfile | None) -> dict[str, object]:
    names = ("regions", "fields", "expertise", "prefers_cross_region", "personalised")
    return {name: getattr(profile, name) for name in names} if profile else dict(NOTHING_SAID)


def _profile_page(
    platform: Platform, values: Mapping[str, object], *, is_new: bool, errors: Errors = ()
) -> ProfilePage:
    chosen = [region for region in platform.catalogue.regions.values() if region.level in CHOSEN_LEVELS]
    return ProfilePage(
        provinces=[(region.code, region.name) for region in chosen if region.level is Level.PROVINCE],
        cities=[(region.code, region.name) for region in chosen if region.level is Level.CITY],
        fields=[(one.code, one.name) for one in platform.catalogue.fields.values()],
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
        "expertise": form.first("expertise"),
        "prefers_cross_region": form.first("prefers_cross_region") == "1",
        "personalised": form.first("personalised") == "1",
    }
    try:
        data = validate(ProfileForm, values, context=platform.catalogue)
    except Invalid as error:
        errors = [(entry.field, entry.message) for entry in error.errors]
        return render(request, _profile_page(platform, values, is_new=False, errors=errors), status=422)
    profiles.save_profile(session, data, by=manager, platform=platform, now=now, source=source)
    return redirect(request, build_url(request.app, "desk.queue"), flash="关注范围已保存，下面的推荐已按它更新。")
