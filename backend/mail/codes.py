"""What the answer of a mail server means for the mail, for its recipient, and for the next mails on the same way.

The digits alone mislead: large providers in China answer 550 when we are merely too fast. Such words are data, below:
each entry is tried in order before the digits decide.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far the conversation had come when the last answer came, or failed to come."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    DATA = "data"


STAGE_LABELS = {
    Stage.CONNECT: "连接",
    Stage.HELLO: "问候",
    Stage.TLS: "加密",
    Stage.LOGIN: "登录",
    Stage.SENDER: "发件人",
    Stage.RECIPIENT: "收件人",
    Stage.CONTENT: "正文传送",
    Stage.DATA: "正文",
}


class Outcome(StrEnum):
    """What became of the mail."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """What an answer is about: the recipient, this mail's content, the recipient's provider, or our own relay."""

    PERSON = "person"
    MESSAGE = "message"
    DOMAIN = "domain"
    RELAY = "relay"


@dataclass(frozen=True)
class Reply:
    """The last answer of the other side; code 0 when there was none."""

    code: int
    text: str
    stage: Stage = Stage.DATA

    def __str__(self) -> str:
        said = f"{self.code} {self.text}" if self.code else f"没有答复：{self.text}"
        return f"{said}（{STAGE_LABELS[self.stage]}阶段）"


@dataclass(frozen=True)
class Verdict:
    """What to do: the outcome, what it is about, and how long to leave that alone (None: the usual back-off)."""

    outcome: Outcome
    scope: Scope
    wait_seconds: int | None = None


@dataclass(frozen=True)
class KnownReply:
    """Words of a provider that mean more than their digits."""

    codes: tuple[int, ...]
    words: str
    verdict: Verdict
    provider: str

    def fits(self, reply: Reply) -> bool:
        """Tell whether a reply has one of the codes and the words, whatever their case."""
        return reply.code in self.codes and re.search(self.words, reply.text, re.IGNORECASE) is not None


def _slow(minutes: int) -> Verdict:
    return Verdict(Outcome.TEMPORARY, Scope.DOMAIN, minutes * 60)


def _slow_relay(minutes: int) -> Verdict:
    return Verdict(Outcome.TEMPORARY, Scope.RELAY, minutes * 60)


SOON = Verdict(Outcome.TEMPORARY, Scope.PERSON)
NO_SUCH_PERSON = Verdict(Outcome.PERMANENT, Scope.PERSON)
REFUSED_MESSAGE = Verdict(Outcome.PERMANENT, Scope.MESSAGE)
REFUSED_SENDER = Verdict(Outcome.PERMANENT, Scope.RELAY)
QQ, NETEASE, GOOGLE, MICROSOFT, ANY = "QQ", "NetEase", "Google", "Microsoft", "any"

KNOWN_REPLIES: tuple[KnownReply, ...] = (
    KnownReply((550, 451, 421), r"domain frequency limited", _slow(30), QQ),
    KnownReply((550, 451, 421), r"sender frequency limited", _slow(30), QQ),
    KnownReply((550, 451, 421), r"connection frequency limited", _slow(30), QQ),
    KnownReply((550, 451, 421), r"\bip frequency limited", _slow(30), QQ),
    KnownReply((550,), r"mailbox unavailable or access denied", SOON, QQ),
    KnownReply((550,), r"suspected bounce attacks?", _slow(60), QQ),
    KnownReply((550,), r"suspected spam ip", _slow(120), QQ),
    KnownReply((550,), r"must be (the )?same as authorization user", REFUSED_SENDER, QQ),
    KnownReply((550,), r"mailbox not found", NO_SUCH_PERSON, QQ),
    KnownReply((550,), r"mail is rejected by recipients?", NO_SUCH_PERSON, QQ),
    KnownReply((550, 554), r"mail content denied", REFUSED_MESSAGE, QQ),
    KnownReply((421, 450, 550), r"\bHL:(REP|ICC|IFC|MEP)\b", _slow(15), NETEASE),
    KnownReply((550, 554), r"\bHL:(IPB|IHU)\b", _slow(120), NETEASE),
    KnownReply((450, 550), r"\bMI:(CEL|CCL|DMC|STC)\b", _slow(15), NETEASE),
    KnownReply((450, 550), r"\bRP:(DRC|QRC|CCL|CEL|TRC)\b", _slow(15), NETEASE),
    KnownReply((451,), r"\bDT:SPM\b", _slow(2), NETEASE),
    KnownReply((554,), r"\bDT:(SPM|SUM)\b", REFUSED_MESSAGE, NETEASE),
    KnownReply((550, 553, 554), r"\bMI:(SPB|SPF|NHD|SFQ)\b", REFUSED_SENDER, NETEASE),
    KnownReply((550,), r"(user not found|invalid user|user suspended)", NO_SUCH_PERSON, NETEASE),
    KnownReply((421, 450, 550), r"4\.7\.28|unusual rate of unsolicited mail", _slow(60), GOOGLE),
    KnownReply((450,), r"4\.2\.1.*(receiving mail|too quickly|at a rate)", _slow(15), GOOGLE),
    KnownReply((452, 552), r"[45]\.2\.2|over quota|out of storage|mailbox (is )?full|quota exceeded", SOON, ANY),
    KnownReply((550, 554, 421), r"[45]\.7\.26|unauthenticated (mail|email)", REFUSED_SENDER, GOOGLE),
    KnownReply((451,), r"4\.7\.5\d\d|server busy", _slow(15), MICROSOFT),
    KnownReply((421,), r"\bRP-00[123]\b", _slow(60), MICROSOFT),
    KnownReply((550,), r"\bS3(140|150)\b|banned sending ip", _slow(240), MICROSOFT),
    KnownReply((450, 451), r"gr[ae]y-?list", SOON, ANY),
    KnownReply((550, 551, 553), r"5\.1\.[1236]\b|no such user|user unknown|unknown user", NO_SUCH_PERSON, ANY),
    KnownReply(
        (421, 450, 451, 452, 550, 554),
        r"too (many|fast|frequent)|rate limit|frequency limit|频率|过于频繁",
        _slow(15),
        ANY,
    ),
    KnownReply((452,), r"too many (recipients|connections)", _slow(5), ANY),
    KnownReply((535,), r"", _slow_relay(10), ANY),
    KnownReply(
        (550, 553, 554), r"spamhaus|blacklist|blocked using|\[BL\d+\]|relay(ing)? (access )?denied", REFUSED_SENDER, ANY
    ),
    KnownReply((550,), r"sender verify failed", REFUSED_SENDER, ANY),
    KnownReply((550, 554), r"5\.4\.1\b|5\.7\.\d", REFUSED_MESSAGE, ANY),
)
# What is said before any recipient was named is about our relay, our address or our login, never about the person.
BEFORE_RECIPIENT = frozenset({Stage.CONNECT, Stage.HELLO, Stage.TLS, Stage.LOGIN, Stage.SENDER})
RELAY_REST_SECONDS = 60


def classify(reply: Reply) -> Verdict:
    """Say what a reply means."""
    if reply.stage is Stage.DATA and reply.code == 0:
        return Verdict(Outcome.UNKNOWN, Scope.MESSAGE)
    for known in KNOWN_REPLIES:
        if known.fits(reply):
            return _softened(known.verdict, reply.stage)
    return _by_digits(reply)


def _softened(verdict: Verdict, stage: Stage) -> Verdict:
    if stage in BEFORE_RECIPIENT:
        return Verdict(Outcome.TEMPORARY, Scope.RELAY, verdict.wait_seconds or RELAY_REST_SECONDS)
    return verdict


def _by_digits(reply: Reply) -> Verdict:
    if reply.stage in BEFORE_RECIPIENT:
        return Verdict(Outcome.TEMPORARY, Scope.RELAY, RELAY_REST_SECONDS)
    if 200 <= reply.code < 300:  # noqa: PLR2004 - RFC 5321, section 4.2.1
        return Verdict(Outcome.ACCEPTED, Scope.PERSON)
    if reply.code == 421:  # noqa: PLR2004 - the server closes the channel, RFC 5321, section 3.8
        return Verdict(Outcome.TEMPORARY, Scope.RELAY, RELAY_REST_SECONDS)
    if 500 <= reply.code < 600:  # noqa: PLR2004 - RFC 5321, section 4.2.1
        return NO_SUCH_PERSON if reply.stage is Stage.RECIPIENT else REFUSED_MESSAGE
    return SOON
