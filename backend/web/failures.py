"""Every failure as a page that says what happened, why, what to do and what is safe; as JSON for the API."""

from dataclasses import dataclass
from typing import ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from backend.errors import AppError, Invalid, SignInNeeded, TooMany
from backend.web.forms import SENTENCES
from backend.web.pages import Page, build_url, render

log = structlog.get_logger()
API_PREFIX = "/api/"


@dataclass(frozen=True)
class ErrorPage(Page):
    """What a failure page says."""

    template: ClassVar[str] = "errors/error.html"

    status: int
    title: str
    what: str
    why: str
    remedy: str
    safe: str
    request_id: str


TITLES = {
    400: "请求有误",
    401: "请先登录",
    403: "不能这样做",
    404: "没有找到",
    405: "不能这样访问",
    409: "状态已经改变",
    413: "内容太大",
    415: "文件类型不对",
    422: "填写有误",
    429: "请稍后再试",
    500: "服务器出错",
    503: "暂时不可用",
}
REMEDIES = {
    400: "请返回上一页，检查后重新提交。",
    401: "请在新窗口登录，再回到这一页按浏览器的“刷新”，同意重新提交。",
    403: "如果您认为应当可以，请联系管理员。",
    404: "请检查地址，或用下面的搜索查找。",
    405: "请从网站的页面进入。",
    409: "请返回上一页，刷新后查看最新状态。",
    500: "请稍后再试；如仍出错，请把下面的编号告诉我们。",
    503: "请过一分钟再试。",
}
SAFE = {
    401: "刚才填写的内容还在浏览器里，请不要关闭这一页。",
    409: "没有改变任何内容。",
    500: "没有提交成功的内容不会只保存一半。",
    503: "已保存的内容都在。",
}


def install(app: FastAPI) -> None:
    """Let every failure end in a page or in JSON."""
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_unreadable_request)
    app.add_exception_handler(OperationalError, _on_database_trouble)
    app.add_exception_handler(PoolTimeout, _on_database_trouble)
    app.add_exception_handler(Exception, _on_unexpected)


def _on_app_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, AppError):
        raise TypeError(f"not an AppError: {error!r}")
    if isinstance(error, SignInNeeded) and not _is_api(request):
        return _ask_to_sign_in(request)
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TooMany) else {}
    if isinstance(error, SignInNeeded):
        headers["WWW-Authenticate"] = "Bearer"
    found = error.errors if isinstance(error, Invalid) else ()
    fields = [{"field": item.field, "message": item.message} for item in found]
    return _answer(request, error.status, error.what, remedy=error.remedy, headers=headers, fields=fields)


def _ask_to_sign_in(request: Request) -> Response:
    """Send who only looks to the login form and back; keep who sent a form on a page that can be sent again.

    The browser still has what was typed, files included: once its owner is signed in again, reloading sends it.
    """
    if request.method in {"GET", "HEAD"}:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(build_url(request.app, "accounts.login", next=here), status_code=303)
    return _answer(request, 401, "登录已经过期，或者还没有登录，这一步没有完成。")


def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"not an HTTPException: {error!r}")
    what = {404: "没有这个页面，它可能已经移走或从未存在。", 405: "这个地址不接受这种访问方式。"}.get(
        error.status_code, "服务器没有读懂这次请求。"
    )
    return _answer(request, error.status_code, what, headers=dict(error.headers or {}))


def _on_unreadable_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise TypeError(f"not a RequestValidationError: {error!r}")
    is_address = any(item["loc"][0] == "path" for item in error.errors())
    if is_address and not _is_api(request):
        return _answer(request, 404, "没有这个页面，地址中的编号不对。")
    fields = []
    for item in error.errors():
        name = ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0])
        sentence = SENTENCES.get(item["type"], "{field}填写有误。")
        values = {**(item.get("ctx") or {}), "field": f"“{name}”", "input": str(item.get("input"))[:30], "length": ""}
        fields.append({"field": name, "message": sentence.format(**values)})
    return _answer(request, 422, "；".join(entry["message"] for entry in fields), fields=fields)


def _on_database_trouble(request: Request, error: Exception) -> Response:
    log.error("database.trouble", error=repr(error))
    return _answer(request, 503, "数据库暂时没有回应。", headers={"Retry-After": "10"})


def _on_unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected", error=repr(error), exc_info=error)
    return _answer(request, 500, "服务器处理这次请求时出了错，我们已经记录下来。")


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(API_PREFIX)


def _answer(
    request: Request,
    status: int,
    what: str,
    *,
    remedy: str = "",
    headers: dict[str, str] | None = None,
    fields: list[dict[str, str]] | None = None,
) -> Response:
    request_id = str(getattr(request.state, "request_id", ""))
    remedy = remedy or REMEDIES.get(status, "")
    if _is_api(request):
        body = {"status": status, "message": what, "remedy": remedy, "errors": fields or [], "request_id": request_id}
        return JSONResponse(body, status_code=status, headers=headers)
    page = ErrorPage(
        status=status,
        title=TITLES.get(status, "请求有误"),
        what=what,
        why="",
        remedy=remedy,
        safe=SAFE.get(status, ""),
        request_id=request_id,
    )
    return render(request, page, status=status, headers=headers)
