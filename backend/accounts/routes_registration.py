"""Becoming a member, and the links that come by mail. Opening a link changes nothing; its page has a button."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from backend.accounts import mailed_links, registration, repository, throttle
from backend.accounts.addresses import address_key
from backend.accounts.cookies import know_device
from backend.accounts.dependencies import Now, PasswordsDep, PlatformDep, Source
from backend.accounts.forms import AddressForm, NewPasswordForm, RegisterForm
from backend.accounts.mailed_links import LINK_SENTENCES, LinkState, Stationery
from backend.accounts.pages import AskPage, ConfirmPage, Errors, MailSentPage, RegisterPage, ResetPage, pairs
from backend.accounts.registration import Application
from backend.accounts.tables import OrganisationKind, TokenPurpose
from backend.database import SessionDep
from backend.errors import Conflict, Invalid
from backend.mail.messages import sender_of
from backend.policy.catalogue import Catalogue
from backend.web.forms import FormDep, SubmittedForm, validate
from backend.web.pages import build_url, redirect, render

router = APIRouter()

LINK_ROUTES = {TokenPurpose.CONFIRM_ADDRESS: "accounts.confirm", TokenPurpose.RESET_PASSWORD: "accounts.reset"}
KEPT_FIELDS = ("email", "display_name", "organisation", "organisation_kind", "organisation_region", "consent")


def _stationery(request: Request, platform: PlatformDep) -> Stationery:
    """Return what mails are written with; their links bear the configured host, never what a request calls us."""

    def link(purpose: TokenPurpose, token: str) -> str:
        return platform.settings.base_url + build_url(request.app, LINK_ROUTES[purpose], token=token)

    return Stationery(sender_of(platform.settings), link)


StationeryDep = Annotated[Stationery, Depends(_stationery)]


@router.get("/register", name="accounts.register")
def show_registration(request: Request, session: SessionDep, platform: PlatformDep) -> Response:
    """Show the registration form."""
    names = repository.list_organisation_names(session)
    return render(request, _register_page(names, platform.catalogue, values={}, errors=()))


def _register_page(
    names: Sequence[str], catalogue: Catalogue, *, values: Mapping[str, str], errors: Errors
) -> RegisterPage:
    return RegisterPage(
        organisations=names,
        kinds=[(kind.value, kind.label) for kind in OrganisationKind],
        regions=[(code, " ".join(part.name for part in catalogue.path_of(code))) for code in catalogue.regions],
        values={name: values.get(name, "") for name in KEPT_FIELDS},
        errors=errors,
    )


@router.post("/register", name="accounts.sign_up")
def register(
    request: Request,
    *,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    passwords: PasswordsDep,
    stationery: StationeryDep,
    now: Now,
    source: Source,
) -> Response:
    """Take an application; the answer is the same whether the address has an account or not."""
    values = {name: form.first(name) for name in (*KEPT_FIELDS, "password")}
    try:
        data = validate(RegisterForm, values)
        with platform.reading() as early:
            registration.check_organisation(
                early,
                data.organisation,
                data.organisation_kind,
                data.organisation_region,
                catalogue=platform.catalogue,
            )
    except Invalid as error:
        names = repository.list_organisation_names(session)
        page = _register_page(names, platform.catalogue, values=values, errors=pairs(error.errors))
        return render(request, page, status=422)
    with platform.transaction() as first:
        may_mail = throttle.count_mail(first, address_key(data.email), source, now=now)
    application = Application(
        address=data.email,
        password_hash=passwords.hash(data.password),
        display_name=data.display_name,
        organisation=data.organisation,
        organisation_kind=data.organisation_kind,
        organisation_region=data.organisation_region,
    )
    registration.register(session, application, stationery=stationery, may_mail=may_mail, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.registered"))


@router.get("/register/sent", name="accounts.registered")
def show_registered(request: Request) -> Response:
    """Say what to do with the confirmation mail."""
    return render(request, MailSentPage(is_reset=False))


@router.get("/confirm", name="accounts.ask_confirmation")
def show_ask_confirmation(request: Request) -> Response:
    """Show the form that asks for the confirmation mail again."""
    return render(request, AskPage(is_reset=False))


@router.post("/confirm", name="accounts.confirm_again")
def send_confirmation_again(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    stationery: StationeryDep,
    now: Now,
    source: Source,
) -> Response:
    """Send the confirmation mail again, where one is awaited; the answer is always the same."""
    try:
        data = validate(AddressForm, {"email": form.first("email")})
    except Invalid as error:
        return _ask_again(request, form, error, is_reset=False)
    with platform.transaction() as first:
        may_mail = throttle.count_mail(first, address_key(data.email), source, now=now)
    registration.send_confirmation_again(
        session, data.email, stationery=stationery, may_mail=may_mail, now=now, source=source
    )
    return redirect(request, build_url(request.app, "accounts.registered"))


def _ask_again(request: Request, form: SubmittedForm, error: Invalid, *, is_reset: bool) -> Response:
    page = AskPage(is_reset=is_reset, email=form.first("email"), errors=pairs(error.errors))
    return render(request, page, status=422)


@router.get("/confirm/{token}", name="accounts.confirm")
def show_confirmation(request: Request, token: str, session: SessionDep, now: Now) -> Response:
    """Show the button that confirms an address."""
    return render(
        request, ConfirmPage(token=token, problem=_problem(session, token, TokenPurpose.CONFIRM_ADDRESS, now))
    )


@router.post("/confirm/{token}", name="accounts.confirm_address")
def confirm(request: Request, token: str, _form: FormDep, session: SessionDep, now: Now, source: Source) -> Response:
    """Confirm the address that the link was mailed to."""
    try:
        registration.confirm_address(session, token, now=now, source=source)
    except Conflict as error:
        return render(request, ConfirmPage(token=token, problem=error.what), status=error.status)
    return redirect(request, build_url(request.app, "accounts.login"), flash="邮箱已确认，请登录。")


@router.get("/forgot", name="accounts.forgot")
def show_forgotten(request: Request) -> Response:
    """Show the form that asks for a new password."""
    return render(request, AskPage(is_reset=True))


@router.post("/forgot", name="accounts.request_reset")
def request_reset(
    request: Request,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    stationery: StationeryDep,
    now: Now,
    source: Source,
) -> Response:
    """Mail a link for a new password, if the address has an account; the answer is always the same."""
    try:
        data = validate(AddressForm, {"email": form.first("email")})
    except Invalid as error:
        return _ask_again(request, form, error, is_reset=True)
    with platform.transaction() as first:
        may_mail = throttle.count_mail(first, address_key(data.email), source, now=now)
    registration.request_reset(session, data.email, stationery=stationery, may_mail=may_mail, now=now, source=source)
    return redirect(request, build_url(request.app, "accounts.reset_sent"))


@router.get("/forgot/sent", name="accounts.reset_sent")
def show_reset_sent(request: Request) -> Response:
    """Say what to do with the mail about a new password."""
    return render(request, MailSentPage(is_reset=True))


@router.get("/reset/{token}", name="accounts.reset")
def show_reset(request: Request, token: str, session: SessionDep, now: Now) -> Response:
    """Show the form for a new password."""
    return render(request, ResetPage(token=token, problem=_problem(session, token, TokenPurpose.RESET_PASSWORD, now)))


@router.post("/reset/{token}", name="accounts.set_password")
def reset(
    request: Request,
    *,
    token: str,
    form: FormDep,
    session: SessionDep,
    platform: PlatformDep,
    passwords: PasswordsDep,
    now: Now,
    source: Source,
) -> Response:
    """Set a new password by a mailed link; the browser is known from then on, so that nobody can lock it out."""
    with platform.reading() as early:
        problem = _problem(early, token, TokenPurpose.RESET_PASSWORD, now)
        owner = registration.find_link_owner(early, token)
    if problem or owner is None:
        return render(request, ResetPage(token=token, problem=problem), status=409)
    try:
        data = validate(NewPasswordForm, {"address": owner.email, "password": form.first("password")})
    except Invalid as error:
        return render(request, ResetPage(token=token, problem="", errors=pairs(error.errors)), status=422)
    password_hash = passwords.hash(data.password)
    try:
        account = registration.reset_password(session, token, password_hash=password_hash, now=now, source=source)
    except Conflict as error:
        return render(request, ResetPage(token=token, problem=error.what), status=error.status)
    response = redirect(request, build_url(request.app, "accounts.login"), flash="新密码已保存，请登录。")
    know_device(request, response, platform.settings, account.email)
    return response


def _problem(session: SessionDep, token: str, purpose: TokenPurpose, now: Now) -> str:
    """Return why a link cannot be used, or nothing."""
    state = mailed_links.look_up(session, token, purpose, now=now)
    return "" if state is LinkState.OPEN else LINK_SENTENCES[state]
