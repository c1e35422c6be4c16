"""Static files: one style sheet and one script, each joined from small files; hashed and compressed once at start."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.errors import NotFound

JOINED = {"app.css": "css", "app.js": "js"}
COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "image/svg+xml")
A_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True)
class Asset:
    """One static file as it is sent."""

    body: bytes
    compressed: bytes | None
    media_type: str
    version: str


class Assets:
    """All static files of a folder, in memory."""

    def __init__(self, folder: Path) -> None:
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        self._assets = {name: _load(name, (folder / name).read_bytes()) for name in names}
        for joined, part in JOINED.items():
            order = (folder / part / "order.txt").read_text().split()
            self._assets[joined] = _load(joined, b"\n".join(self._assets[f"{part}/{name}"].body for name in order))

    def find(self, name: str) -> Asset | None:
        """Return the asset of this name, if there is one."""
        return self._assets.get(name)

    def url(self, name: str) -> str:
        """Return the address of an asset, which changes when its content does."""
        asset = self._assets.get(name)
        if asset is None:
            raise ValueError(f"no static file is called {name!r}")
        return f"/static/{name}?v={asset.version}"


def _load(name: str, body: bytes) -> Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    worth_it = media_type.startswith(COMPRESSED_TYPES) or name.endswith(".js")
    return Asset(
        body=body,
        compressed=gzip.compress(body, 9, mtime=0) if worth_it else None,
        media_type=media_type,
        version=hashlib.sha256(body).hexdigest()[:12],
    )


router = APIRouter()


@router.get("/static/{name:path}", name="static", include_in_schema=False)
def static(name: str, request: Request, v: str = "") -> Response:
    """Send a static file; for ever cacheable when asked for by its version."""
    assets: Assets = request.app.state.assets
    asset = assets.find(name)
    if asset is None:
        raise NotFound("没有这个文件。")
    lasting = f"public, max-age={A_YEAR_SECONDS}, immutable" if v == asset.version else "no-cache"
    headers = {"Cache-Control": lasting, "ETag": f'"{asset.version}"', "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)
