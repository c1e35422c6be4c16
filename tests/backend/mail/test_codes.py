import pytest

from backend.mail.codes import KNOWN_REPLIES, Outcome, Reply, Scope, Stage, classify

RCPT, DATA, CONNECT = Stage.RECIPIENT, Stage.DATA, Stage.CONNECT
ACCEPTED, TEMPORARY, PERMANENT = Outcome.ACCEPTED, Outcome.TEMPORARY, Outcome.PERMANENT
PERSON, MESSAGE, DOMAIN, RELAY = Scope.PERSON, Scope.MESSAGE, Scope.DOMAIN, Scope.RELAY

SEEN = [
    (Reply(250, "Mail OK queued as smtp3,DsmowAB", DATA), ACCEPTED, PERSON),
    (Reply(250, "Ok: queued as", DATA), ACCEPTED, PERSON),
    (Reply(550, "Domain frequency limited", RCPT), TEMPORARY, DOMAIN),
    (Reply(550, "Sender frequency limited", RCPT), TEMPORARY, DOMAIN),
    (Reply(550, "Connection frequency limited", RCPT), TEMPORARY, DOMAIN),
    (Reply(550, "Ip frequency limited", RCPT), TEMPORARY, DOMAIN),
    (Reply(550, "Mailbox unavailable or access denied", RCPT), TEMPORARY, PERSON),
    (Reply(550, "Suspected bounce attacks", DATA), TEMPORARY, DOMAIN),
    (Reply(550, "Mailbox not found", RCPT), PERMANENT, PERSON),
    (Reply(550, "Mail is rejected by recipients", DATA), PERMANENT, PERSON),
    (Reply(550, "Mail content denied", DATA), PERMANENT, MESSAGE),
    (Reply(421, "HL:REP 192.0.2.1 reputation", DATA), TEMPORARY, DOMAIN),
    (Reply(421, "HL:ICC 163 smtp", DATA), TEMPORARY, DOMAIN),
    (Reply(421, "HL:IFC 163 smtp", RCPT), TEMPORARY, DOMAIN),
    (Reply(421, "HL:ICC 163 smtp", CONNECT), TEMPORARY, RELAY),
    (Reply(450, "MI:DMC 163 smtp", RCPT), TEMPORARY, DOMAIN),
    (Reply(450, "RP:DRC 126 smtp", RCPT), TEMPORARY, DOMAIN),
    (Reply(451, "DT:SPM 163 smtp, please try again", DATA), TEMPORARY, DOMAIN),
    (Reply(554, "DT:SPM 163 smtp", DATA), PERMANENT, MESSAGE),
    (Reply(554, "DT:SUM envelope sender and header sender differ", DATA), PERMANENT, MESSAGE),
    (Reply(550, "User not found: li", RCPT), PERMANENT, PERSON),
    (Reply(421, "4.7.28 unusual rate of unsolicited mail", DATA), TEMPORARY, DOMAIN),
    (Reply(450, "4.2.1 The user is receiving mail too quickly", RCPT), TEMPORARY, DOMAIN),
    (Reply(452, "4.2.2 The recipient's inbox is out of storage", RCPT), TEMPORARY, PERSON),
    (Reply(552, "5.2.2 mailbox full", DATA), TEMPORARY, PERSON),
    (Reply(550, "5.7.26 Unauthenticated email from example.com", DATA), PERMANENT, RELAY),
    (Reply(451, "4.7.500 Server busy. Please try again later", RCPT), TEMPORARY, DOMAIN),
    (Reply(451, "4.7.1 Greylisting in action", RCPT), TEMPORARY, PERSON),
    (Reply(550, "5.1.1 User unknown", RCPT), PERMANENT, PERSON),
    (Reply(451, "发送过于频繁", RCPT), TEMPORARY, DOMAIN),
    (Reply(550, "whatever else", RCPT), PERMANENT, PERSON),
    (Reply(554, "transaction failed", DATA), PERMANENT, MESSAGE),
    (Reply(421, "closing", DATA), TEMPORARY, RELAY),
    (Reply(450, "later", RCPT), TEMPORARY, PERSON),
    (Reply(550, "blocked", CONNECT), TEMPORARY, RELAY),
    (Reply(535, "authentication failed", Stage.LOGIN), TEMPORARY, RELAY),
    (Reply(550, "sender denied", Stage.SENDER), TEMPORARY, RELAY),
    (Reply(0, "ConnectionRefusedError", CONNECT), TEMPORARY, RELAY),
    (Reply(0, "TimeoutError", RCPT), TEMPORARY, PERSON),
    (Reply(0, "SMTPServerDisconnected", DATA), Outcome.UNKNOWN, MESSAGE),
    (Reply(0, "", DATA), Outcome.UNKNOWN, MESSAGE),
]


@pytest.mark.parametrize(("reply", "outcome", "scope"), SEEN, ids=str)
def test_a_reply_means_what_its_provider_means(reply, outcome, scope):
    verdict = classify(reply)

    assert (verdict.outcome, verdict.scope) == (outcome, scope)


def test_no_reply_about_frequency_ever_rejects_a_mail():
    for known in KNOWN_REPLIES:
        if known.verdict.scope is DOMAIN:
            assert known.verdict.outcome is TEMPORARY
            assert known.verdict.wait_seconds


def test_a_spam_suspicion_of_netease_rests_two_minutes():
    assert classify(Reply(451, "DT:SPM", DATA)).wait_seconds == 120


def test_every_known_reply_can_be_reached():
    """Fails when an earlier entry hides a later one."""
    reached = {next(known for known in KNOWN_REPLIES if known.fits(reply)) for reply, _, _ in SEEN if _known(reply)}

    assert len(reached) >= 20


def _known(reply: Reply) -> bool:
    return any(known.fits(reply) for known in KNOWN_REPLIES)
