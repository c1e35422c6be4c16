"""The routers and job modules of every domain: what web, worker and shell have in common."""

from types import ModuleType

from fastapi import APIRouter

from backend.accounts import jobs as account_jobs
from backend.accounts import routes as accounts
from backend.accounts import routes_admin as administration
from backend.api import routes as api
from backend.desk import jobs as desk_jobs
from backend.desk import routes as desk
from backend.desk import routes_introductions as introductions
from backend.digests import jobs as digest_jobs
from backend.digests import routes as digests
from backend.digests import routes_admin as digest_operations
from backend.digests import routes_links as digest_links
from backend.figures import routes as figures
from backend.jobs import housekeeping
from backend.listings import jobs as listing_jobs
from backend.listings import routes as listings
from backend.listings import routes_moderation as moderation
from backend.mail import jobs as mail_jobs
from backend.mail import routes as mail
from backend.mail import routes_bounces as bounces
from backend.matching import jobs as matching_jobs
from backend.matching import routes as matching
from backend.matching import routes_saved as saved_searches
from backend.site import health
from backend.site import routes as site
from backend.web import assets

PAGE_ROUTERS: tuple[APIRouter, ...] = (
    site.router,
    accounts.router,
    administration.router,
    matching.router,
    saved_searches.router,
    listings.router,
    moderation.router,
    desk.router,
    introductions.router,
    digests.router,
    digest_operations.router,
    figures.router,
    mail.router,
    bounces.router,
)
API_ROUTERS: tuple[APIRouter, ...] = (api.router,)
BARE_ROUTERS: tuple[APIRouter, ...] = (
    assets.router,
    health.router,
    digest_links.unsubscribe_router,
    digest_links.reply_router,
)
JOB_MODULES: tuple[ModuleType, ...] = (
    account_jobs,
    listing_jobs,
    matching_jobs,
    desk_jobs,
    digest_jobs,
    mail_jobs,
    housekeeping,
)
