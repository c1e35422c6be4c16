"""The HTML of a mail as a page of its own, for the frame around it."""

from fastapi.responses import HTMLResponse, Response

# The mail is shown as it is sent: styles inline, and nothing else that a page could do. Only this one answer may.
BODY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'"
DARK_RULE = "@media (prefers-color-scheme:dark)"
ALWAYS = "@media all"


def mail_body(html: str, *, is_dark: bool = False) -> Response:
    """Send the HTML of a mail; `is_dark` shows it as a mailbox with a dark theme does."""
    shown = html
    if is_dark:
        shown = shown.replace(DARK_RULE, ALWAYS).replace("@media (prefers-color-scheme: dark)", ALWAYS)
    headers = {"Content-Security-Policy": BODY_POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
    return HTMLResponse(shown, headers=headers)
