"""The web application: the one place where its parts are joined."""

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from backend.accounts.dependencies import load_viewer
from backend.assembly import build_platform
from backend.domains import API_ROUTERS, BARE_ROUTERS, PAGE_ROUTERS
from backend.platform import Platform
from backend.settings import PROJECT, Settings
from backend.web import failures
from backend.web.assets import Assets
from backend.web.language import Translations
from backend.web.middleware import Envelope
from backend.web.pages import Addresses, Renderer

FRONTEND = PROJECT / "frontend"
FORM_OVERHEAD_BYTES = 1_000_000
SMALLEST_COMPRESSED_BYTES = 800


def create_app(settings: Settings | None = None, *, platform: Platform | None = None) -> FastAPI:
    """Join the web application; tests hand in a platform of their own."""
    platform = platform or build_platform(settings or Settings())
    settings = platform.settings
    app = FastAPI(
        title="技桥 API",
        version="1",
        description="京津冀技术供需对接平台的接口。令牌在账号页面创建，请求时放在 Authorization: Bearer 头里。",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.platform = platform
    app.state.assets = Assets(FRONTEND / "static")
    app.state.renderer = Renderer(
        FRONTEND / "templates", app.state.assets, Translations(FRONTEND / "locales"), settings
    )
    for router in PAGE_ROUTERS:
        app.include_router(router, dependencies=[Depends(load_viewer)], include_in_schema=False)
    for router in API_ROUTERS:
        app.include_router(router)
    for router in BARE_ROUTERS:
        app.include_router(router, include_in_schema=False)
    app.state.addresses = Addresses(app.routes)
    app.state.renderer.bind_routes(app.state.addresses.build)
    app.state.renderer.compile_all()
    failures.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED_BYTES)
    app.add_middleware(
        Envelope,
        body_limit_bytes=settings.upload_limit_bytes + FORM_OVERHEAD_BYTES,
        is_secure=settings.base_url.startswith("https://"),
    )
    return app
