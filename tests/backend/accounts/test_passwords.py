import threading
from pathlib import Path

import pytest

from backend.accounts import passwords as module
from backend.accounts.passwords import Passwords, find_weakness, random_password

LONG = "稳住这座桥的是第三根缆索"


def test_a_long_sentence_is_accepted_without_any_class_of_characters():
    assert find_weakness(LONG, address="wang@example.com") == ""
    assert find_weakness("the quiet bridge hums", address="wang@example.com") == ""


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short12345!", "太短"),
        ("x" * 129, "太长"),
        ("wang.xiaoming@example.com", "邮箱"),
        ("WANG.xiaoming@example.com", "邮箱"),
        ("wang.xiaoming", "邮箱"),
        ("password1234", "太常见"),
        ("PassWord1234", "太常见"),
        ("ｐａｓｓｗｏｒｄ１２３４", "太常见"),
        ("啊啊啊啊啊啊啊啊啊啊啊啊", "太常见"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, word: str):
    assert word in find_weakness(password, address="wang.xiaoming@example.com")


def test_every_listed_password_is_one_that_length_alone_would_let_through():
    listed = Path(module.__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    entries = [line for line in listed if not line.startswith("#")]

    assert len(entries) > 100
    assert all(len(entry) >= 12 and entry == entry.casefold() for entry in entries)


def test_passwords_are_kept_with_argon2id_and_at_least_46_mebibytes():
    kept = Passwords().hash(LONG)

    assert kept.startswith("$argon2id$v=19$m=47104,t=2,p=1$")


def test_a_right_password_is_accepted_and_any_other_is_not(passwords: Passwords):
    kept = passwords.hash(LONG)

    assert passwords.check(LONG, kept).is_right
    assert not passwords.check(LONG + "。", kept).is_right
    assert not passwords.check(LONG, "no hash at all").is_right


def test_without_an_account_the_answer_is_no_whatever_is_typed(passwords: Passwords):
    assert not passwords.check(LONG, None).is_right


def test_full_width_and_plain_signs_of_one_password_are_the_same(passwords: Passwords):
    kept = passwords.hash("bridge 2026 over")

    assert passwords.check("ｂｒｉｄｇｅ　２０２６　ｏｖｅｒ", kept).is_right


def test_a_lone_surrogate_in_a_password_is_wrong_and_no_error(passwords: Passwords):
    assert not passwords.check("\ud83d" * 12, passwords.hash(LONG)).is_right


def test_a_password_kept_with_weaker_parameters_gets_a_better_hash(passwords: Passwords):
    stronger = Passwords(memory_kib=128, passes=1)

    check = stronger.check(LONG, passwords.hash(LONG))

    assert check.is_right
    assert check.better_hash is not None
    assert "m=128" in check.better_hash
    assert stronger.check(LONG, check.better_hash).better_hash is None


def test_no_more_passwords_are_hashed_at_once_than_there_are_slots():
    narrow = Passwords(memory_kib=64, passes=1, hashes_at_once=1)
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (narrow.hash(LONG), done.set()))

    narrow._slots.acquire()
    waiting.start()

    assert not done.wait(0.1)
    narrow._slots.release()
    assert done.wait(5)
    waiting.join()


def test_a_random_password_is_never_refused():
    assert find_weakness(random_password(), address="a@example.com") == ""
    assert random_password() != random_password()
