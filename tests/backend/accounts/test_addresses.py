import pytest

from backend.accounts.addresses import address_key, masked_address, normal_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Wang@Example.com ", "Wang@example.com"),
        ("ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ", "wang@example.com"),
        ("li@例子.中国", "li@例子.中国"),
    ],
)
def test_an_address_is_kept_as_mail_servers_take_it(typed: str, kept: str):
    assert normal_address(typed) == kept


@pytest.mark.parametrize(
    "typed", ["wang", "wang@", "@example.com", "a b@example.com", "张@example.com", "a" * 300 + "@example.com"]
)
def test_what_is_no_address_is_refused_with_an_example(typed: str):
    with pytest.raises(ValueError, match=r"name@example\.com"):
        normal_address(typed)


def test_two_spellings_of_one_address_have_one_key():
    assert address_key("Wang@Example.COM") == address_key("wang@example.com")
    assert address_key("li@例子.中国") == address_key("LI@xn--fsqu00a.xn--fiqs8s")


def test_the_trail_keeps_the_first_letter_and_the_domain_of_an_address():
    assert masked_address("wang@example.com") == "w***@example.com"
    assert masked_address("a password typed by mistake") == "***"
