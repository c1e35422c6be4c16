"""One look at the desk: who, when, and with what; the same for all its pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from backend.accounts.dependencies import Now, PlatformDep, require
from backend.accounts.tables import Account, Role
from backend.database import SessionDep
from backend.platform import Platform

Manager = Annotated[Account, require(Role.MANAGER)]


@dataclass(frozen=True)
class Visit:
    """One look at the desk."""

    request: Request
    session: Session
    platform: Platform
    manager: Account
    now: datetime


def _visit(request: Request, session: SessionDep, platform: PlatformDep, manager: Manager, now: Now) -> Visit:
    return Visit(request, session, platform, manager, now)


VisitDep = Annotated[Visit, Depends(_visit)]
