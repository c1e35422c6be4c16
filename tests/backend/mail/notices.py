"""Notices as other servers send them, built from their parts: DSNs of several makers, plain words, replies."""

from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from backend.mail.bounces import Verdict
from backend.mail.tables import BounceKind

RECIPIENT = "li.ming@example.com"
HARD, SOFT, COMPLAINT = BounceKind.HARD, BounceKind.SOFT, BounceKind.COMPLAINT


def status_part(*fields: str, group: str = "Reporting-MTA: dns; mx.example.com") -> Message:
    body = "\r\n".join([group, "", *fields, ""])
    return message_from_string("Content-Type: message/delivery-status\r\n\r\n" + body)


def dsn(
    *fields: str,
    text: str = "Your message could not be delivered.",
    charset: str = "utf-8",
    subject: str = "Undelivered Mail Returned to Sender",
    sender: str = "MAILER-DAEMON@mx.example.com",
    returned: bool = True,
    to: str = "",
) -> bytes:
    notice = MIMEMultipart("report")
    notice.set_param("report-type", "delivery-status")
    notice["From"], notice["Subject"], notice["Auto-Submitted"] = sender, subject, "auto-replied"
    notice["Return-Path"] = "<>"
    if to:
        notice["To"] = to
    notice.attach(MIMEText(text, "plain", charset))
    notice.attach(status_part(*fields))
    if returned:
        original = EmailMessage()
        original["Subject"] = "[技桥] 本周 3 条推荐"
        original.set_content("550 5.1.1 这几个数字只是周报正文里的，不是退信原因")
        wrapped = MIMEBase("message", "rfc822")
        wrapped.set_payload([original])
        notice.attach(wrapped)
    return notice.as_bytes()


def failed(status: str, diagnostic: str = "", *, action: str = "failed", **more: str) -> bytes:
    fields = [f"Final-Recipient: rfc822; {RECIPIENT}", f"Action: {action}", f"Status: {status}"]
    if diagnostic:
        fields.append(f"Diagnostic-Code: smtp; {diagnostic}")
    return dsn(*fields, **more)


def words(
    text: str,
    *,
    sender: str = "MAILER-DAEMON@mx.example.com",
    subject: str = "failure notice",
    charset: str = "utf-8",
    subtype: str = "plain",
    **headers: str,
) -> bytes:
    notice = MIMEText(text, subtype, charset)
    notice["From"], notice["Subject"] = sender, subject
    for name, value in headers.items():
        notice[name.replace("_", "-")] = value
    return notice.as_bytes()


def complaint() -> bytes:
    notice = MIMEMultipart("report")
    notice.set_param("report-type", "feedback-report")
    notice["From"], notice["Subject"] = "abuse@example.com", "FW: digest"
    notice.attach(MIMEText("This is an email abuse report."))
    body = "Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n"
    notice.attach(message_from_string("Content-Type: message/feedback-report\r\n\r\n" + body))
    return notice.as_bytes()


def nested(inner: bytes) -> bytes:
    """Wrap a notice as a gateway or a forwarding mailbox does."""
    outer = MIMEMultipart("mixed")
    outer["From"], outer["Subject"] = "postmaster@gateway.example.com", "Fwd: Undeliverable"
    outer.attach(MIMEText("转发的退信，见附件。", "plain", "utf-8"))
    wrapped = MIMEBase("message", "rfc822")
    wrapped.set_payload([message_from_bytes(inner)])
    outer.attach(wrapped)
    return outer.as_bytes()


@dataclass(frozen=True)
class Sample:
    """One notice, and what is to become of it."""

    name: str
    raw: bytes
    kind: BounceKind | None = None
    verdict: Verdict = Verdict.COUNTED


NOT_ABOUT, NOT_FINAL = Verdict.NOT_ABOUT_THE_ADDRESS, Verdict.NOT_FINAL
AUTOMATIC, NO_BOUNCE = Verdict.AUTOMATIC_REPLY, Verdict.NO_BOUNCE
sample: Callable[..., Sample] = Sample

SAMPLES = [
    sample("postfix, no such user", failed("5.1.1", "550 5.1.1 <li.ming@example.com>: User unknown"), HARD),
    sample("exchange, no such user", failed("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"), HARD),
    sample("gmail, no such user", failed("5.1.1", "550-5.1.1 The email account does not exist. gsmtp"), HARD),
    sample(
        "gmail, disabled", failed("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled."), HARD
    ),
    sample("no diagnostic, 5.1.1", failed("5.1.1"), HARD),
    sample("no diagnostic, 5.1.2 bad domain", failed("5.1.2"), HARD),
    sample("no diagnostic, 5.1.3 bad syntax", failed("5.1.3"), HARD),
    sample("no diagnostic, 5.1.6 moved", failed("5.1.6"), HARD),
    sample("no diagnostic, 5.2.1 disabled", failed("5.2.1"), HARD),
    sample("qq, mailbox not found", failed("5.0.0", "550 Mailbox not found. http://service.mail.qq.com"), HARD),
    sample("netease, user not found", failed("5.0.0", "550 User not found: li.ming@example.com"), HARD),
    sample("netease, invalid user", failed("5.1.1", "550 Invalid User: li.ming@example.com"), HARD),
    sample("sina, no such user", failed("5.1.1", "550 5.1.1 No such user here"), HARD),
    sample("coremail, unknown in Chinese", failed("5.0.0", "550 5.1.1 用户不存在"), HARD),
    sample("aliyun, recipient unknown", failed("5.1.1", "553 5.1.1 unknown user"), HARD),
    sample("status without action", dsn("Final-Recipient: rfc822; x@example.com", "Status: 5.1.1"), HARD),
    sample(
        "no Final-Recipient", dsn("Action: failed", "Status: 5.1.1", "Diagnostic-Code: smtp; 550 User unknown"), HARD
    ),
    sample("upper-case action", dsn("ACTION: FAILED", "STATUS: 5.1.1 (bad destination mailbox address)"), HARD),
    sample("comment in status", failed("5.1.1 (unknown user)"), HARD),
    sample("folded diagnostic", failed("5.1.1", "550 5.1.1\r\n   user unknown"), HARD),
    sample("x-unix diagnostic", dsn("Action: failed", "Status: 5.1.1", "Diagnostic-Code: x-unix; user unknown"), HARD),
    sample("no returned mail", failed("5.1.1", "550 5.1.1 user unknown", returned=False), HARD),
    sample(
        "gb18030 text", failed("5.1.1", "550 no such user", text="收件人不存在，邮件退回。", charset="gb18030"), HARD
    ),
    sample("mailbox full", failed("5.2.2", "552 5.2.2 Mailbox full"), SOFT),
    sample("gmail, over quota", failed("5.2.2", "552-5.2.2 The recipient's inbox is out of storage space"), SOFT),
    sample("expired after retries", failed("4.4.7", "451 4.4.7 Delivery time expired"), SOFT),
    sample("expired, status only", failed("4.4.7"), SOFT),
    sample("host not found for a while", failed("4.4.1"), SOFT),
    sample("greylisted to the end", failed("4.2.0", "450 4.2.0 Greylisted, see http://postgrey.example"), SOFT),
    sample("message too large", failed("5.2.3"), SOFT),
    sample("network trouble", failed("5.4.4"), SOFT),
    sample("nothing but a failure", failed("5.0.0"), SOFT),
    sample("qq, access denied", failed("5.0.0", "550 Mailbox unavailable or access denied"), SOFT),
    sample(
        "group of two, the worse counts",
        dsn("Action: failed", "Status: 4.2.2", "", "Action: failed", "Status: 5.1.1"),
        HARD,
    ),
    sample("qq, too fast", failed("5.7.1", "550 Domain frequency limited"), None, NOT_ABOUT),
    sample("qq, sender too fast", failed("5.0.0", "550 Sender frequency limited"), None, NOT_ABOUT),
    sample("netease, too fast", failed("5.0.0", "550 MI:STC 163 smtp1"), None, NOT_ABOUT),
    sample("netease, spam", failed("5.0.0", "554 DT:SPM 163 smtp9, please see http://mail.163.com"), None, NOT_ABOUT),
    sample(
        "gmail, unauthenticated", failed("5.7.26", "550-5.7.26 Unauthenticated email is not accepted"), None, NOT_ABOUT
    ),
    sample("outlook, banned", failed("5.7.1", "550 5.7.1 Messages weren't sent, part of S3140"), None, NOT_ABOUT),
    sample("policy, status only", failed("5.7.1"), None, NOT_ABOUT),
    sample("delayed", failed("4.4.1", action="delayed"), None, NOT_FINAL),
    sample("delivered", failed("2.0.0", action="delivered"), None, NOT_FINAL),
    sample("relayed", failed("2.0.0", action="relayed"), None, NOT_FINAL),
    sample("expanded", failed("2.0.0", action="expanded"), None, NOT_FINAL),
    sample("nested in a forward", nested(failed("5.1.1", "550 5.1.1 user unknown")), HARD),
    sample("nested twice", nested(nested(failed("5.1.1", "550 5.1.1 user unknown"))), HARD),
    sample("qmail in words", words("Sorry, 550 5.1.1 user unknown for <li.ming@example.com>"), HARD),
    sample(
        "qq in words",
        words(
            "<p>很抱歉，邮件未送达。</p><p>host said: 550 Mailbox not found</p>",
            subtype="html",
            sender="postmaster@qq.com",
        ),
        HARD,
    ),
    sample(
        "coremail in Chinese words",
        words("收件人不存在", sender="系统退信 <postmaster@163.com>", subject="系统退信"),
        HARD,
    ),
    sample("gb18030 words", words("退信原因：550 用户不存在", charset="gb18030", sender="postmaster@126.com"), HARD),
    sample("words of a full mailbox", words("552 5.2.2 mailbox full"), SOFT),
    sample("words of nothing in particular", words("The mail could not be delivered."), SOFT),
    sample("complaint", complaint(), COMPLAINT),
    sample(
        "out of office", words("I am away. 550 is my room.", sender=RECIPIENT, subject="Out of Office"), None, AUTOMATIC
    ),
    sample(
        "自动回复",
        words("您好，我正在休假，12 月 1 日回来。", sender=RECIPIENT, subject="自动回复：周报"),
        None,
        AUTOMATIC,
    ),
    sample("自動回覆", words("您好", sender=RECIPIENT, subject="自動回覆: 周報"), None, AUTOMATIC),
    sample(
        "RFC 3834",
        words("away", sender=RECIPIENT, subject="Re: digest", Auto_Submitted="auto-replied"),
        None,
        AUTOMATIC,
    ),
    sample(
        "exchange oof", words("away", sender=RECIPIENT, subject="hi", X_Auto_Response_Suppress="All"), None, AUTOMATIC
    ),
    sample("vacation with a null sender", words("away", subject="vacation", Return_Path="<>"), None, AUTOMATIC),
    sample("precedence", words("away", sender=RECIPIENT, subject="hi", Precedence="auto_reply"), None, AUTOMATIC),
    sample("a person answers", words("谢谢，收到。", sender=RECIPIENT, subject="回复：本周推荐"), None, NO_BOUNCE),
    sample("an empty mail", b"", None, NO_BOUNCE),
    sample("octets that are no mail", bytes(range(256)) * 4, None, NO_BOUNCE),
    sample("a charset nobody knows", words("550 5.1.1 user unknown").replace(b"utf-8", b"x-unheard"), HARD),
]
