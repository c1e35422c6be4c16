"""Files of a case: of a known type and size, outside what is served, and only for whoever works on the case."""

from datetime import timedelta

import pytest
from factories import MONDAY
from recommending import make_manager, make_pair, only_row, recommend
from sqlmodel import select

from backend.desk import decisions, files
from backend.desk.tables_pipeline import CaseFile


@pytest.fixture
def manager(session, client):
    manager = make_manager(session)
    client.sign_in(manager)
    return manager


@pytest.fixture
def case(session, platform, manager):
    make_pair(session, platform)
    recommend(session, platform)
    case = decisions.take(session, only_row(session, manager).id, by=manager, now=MONDAY)
    session.commit()
    return case


def send(client, case, name, content):
    return client.submit(f"/desk/cases/{case.id}/files", files={"file": (name, content, "text/html")})


def test_a_file_is_kept_under_its_id_and_given_back_as_an_attachment(session, client, case, settings):
    send(client, case, "../../小试报告.pdf", b"%PDF-1.7 abc")

    kept = session.exec(select(CaseFile)).one()
    answer = client.get(f"/desk/files/{kept.id}")

    assert kept.name == "小试报告.pdf"
    assert files.path_of(kept.id, settings).read_bytes() == b"%PDF-1.7 abc"
    assert answer.content == b"%PDF-1.7 abc"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("病毒.exe", b"MZ", "不能保存这种文件"),
        ("网页.html", b"<script>", "不能保存这种文件"),
        ("假的.pdf", b"MZ not a pdf", "文件内容与"),
        ("空.txt", b"", "文件是空的"),
        ("乱码.txt", b"\xff\xfe\x00", "文件内容与"),
        ("大.txt", b"a" * (files.LARGEST_BYTES + 1), "文件太大，最多 10 MB"),
        (".pdf", b"%PDF-", "不能保存这种文件"),
    ],
)
def test_a_wrong_file_is_refused_beside_its_field_and_nothing_is_stored(
    session, client, case, settings, name, content, said
):
    answer = send(client, case, name, content)

    assert answer.status_code == 422
    assert said in answer.text
    assert session.exec(select(CaseFile)).all() == []
    assert not list(settings.data_dir.glob("files/*/*"))


def test_a_file_of_100_mb_is_refused_before_it_is_read(client, case):
    answer = client.submit(f"/desk/cases/{case.id}/files", headers={"content-length": str(100_000_000)})

    assert answer.status_code == 413


def test_no_file_chosen_is_said_in_words(client, case):
    answer = client.submit(f"/desk/cases/{case.id}/files", {})

    assert answer.status_code == 422
    assert "请先选择一个文件" in answer.text


def test_another_manager_cannot_download_it(session, client, case):
    send(client, case, "报告.pdf", b"%PDF-1.7")
    kept = session.exec(select(CaseFile)).one()
    client.cookies.clear()
    client.sign_in(make_manager(session))

    assert client.get(f"/desk/files/{kept.id}").status_code == 404


def test_the_sweep_deletes_bytes_that_no_row_names_and_no_others(platform, settings, monkeypatch):
    path = settings.data_dir / "files" / "ab"
    path.mkdir(parents=True)
    (path / "ab1").write_bytes(b"kept")
    (path / "ab2").write_bytes(b"orphan")
    later = (path / "ab1").stat().st_mtime + timedelta(days=2).total_seconds()
    monkeypatch.setattr("backend.desk.files.time.time", lambda: later)

    assert files.sweep(settings, {"ab1"}) == 1
    assert (path / "ab1").read_bytes() == b"kept"
