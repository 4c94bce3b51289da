"""The backend that writes to files, at its edges: the folder, a full disk, readers, threads."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from errormail.conf import override_settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail import BadHeaderError, EmailMessage, mailers
from errormail.mail.backends import filebased
from errormail.mail.backends.filebased import EmailBackend

PATH = "errormail.mail.backends.filebased.EmailBackend"
LINE = b"-" * 79 + b"\n"


def message(subject="subject", body="body"):
    return EmailMessage(subject, body, "from@example.com", ["to@example.com"])


def subjects(folder):
    """Return the subjects in all files of *folder*, in order of names."""
    return [
        line.removeprefix(b"Subject: ").decode()
        for path in sorted(folder.iterdir())
        for line in path.read_bytes().splitlines()
        if line.startswith(b"Subject: ")
    ]


# -- the folder ---------------------------------------------------------------------------------


@pytest.mark.row("B11")
@pytest.mark.parametrize("kind", [str, Path])
def test_the_folder_is_made_and_has_a_file_for_each_instance(tmp_path, kind):
    folder = tmp_path / "a" / "b"
    backend = EmailBackend(file_path=kind(folder))
    assert backend.send_messages([message("1"), message("2")]) == 2
    assert backend.send_messages([message("3")]) == 1
    (path,) = folder.iterdir()
    assert subjects(folder) == ["1", "2", "3"]
    assert path.read_bytes().count(b"\n" + LINE) == 3
    assert path.read_bytes().endswith(b"\n" + LINE)
    EmailBackend(file_path=folder).send_messages([message("4")])
    assert len(list(folder.iterdir())) == 2


@pytest.mark.row("B11")
@pytest.mark.parametrize("kind", [str, Path])
def test_the_setting_names_the_folder(tmp_path, kind):
    with override_settings(EMAIL_FILE_PATH=kind(tmp_path / "mail")):
        assert EmailBackend().send_messages([message()]) == 1
    assert subjects(tmp_path / "mail") == ["subject"]


@pytest.mark.row("B11")
def test_without_a_folder_the_setting_is_named():
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FILE_PATH"):
        EmailBackend()


@pytest.mark.row("B11")
def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match=r"file.*not a directory"):
        EmailBackend(file_path=tmp_path / "file")


@pytest.mark.row("B11")
def test_a_full_disk_is_an_error_and_the_file_stays_as_it_was(tmp_path, disk):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    backend = EmailBackend(file_path=tmp_path)
    backend.send_messages([message("before")])
    disk.append(full)
    with pytest.raises(OSError, match="No space left"):
        backend.send_messages([message("lost")])
    assert subjects(tmp_path) == ["before"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]


@pytest.mark.row("B11")
def test_a_folder_within_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="not a directory"):
        EmailBackend(file_path=tmp_path / "file" / "mail")


@pytest.mark.row("B11")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    """The system's answer is ours: root, whom tests may run as, gets another."""
    monkeypatch.setattr(os, "access", lambda *_args, **_options: False)
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_FILE_PATH.*mail.*not writable"):
        EmailBackend(file_path=tmp_path / "mail", fail_silently=True)


@pytest.mark.row("B11")
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    def denied(*_args, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(filebased.Path, "mkdir", denied)
    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_FILE_PATH.*cannot be made.*denied"):
        EmailBackend(file_path=tmp_path / "mail", fail_silently=True)


@pytest.mark.row("B11")
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_is_read_only_is_refused(tmp_path):
    folder = tmp_path / "mail"
    folder.mkdir(mode=0o500)
    with pytest.raises(ImproperlyConfigured, match="not writable"):
        EmailBackend(file_path=folder)


@pytest.mark.row("B11")
def test_a_mailer_has_a_folder_of_its_own(tmp_path):
    entries = {
        "mine": {"BACKEND": PATH, "OPTIONS": {"file_path": tmp_path / "mine"}},
        "none": {"BACKEND": PATH},
    }
    with override_settings(MAILERS=entries, EMAIL_FILE_PATH=tmp_path / "settings"):
        assert mailers["mine"].send_messages([message()]) == 1
        with pytest.raises(InvalidMailer, match=r"'none'.*file_path"):
            mailers["none"]
    assert subjects(tmp_path / "mine") == ["subject"]
    assert not (tmp_path / "settings").exists()


@pytest.mark.row("B11")
def test_the_folder_stays_when_the_program_goes_to_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    backend = EmailBackend(file_path="mail")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert backend.send_messages([message()]) == 1
    assert subjects(tmp_path / "mail") == ["subject"]


@pytest.mark.row("B11")
def test_instances_of_the_same_second_do_not_share_a_file(tmp_path):
    for number in range(20):
        EmailBackend(file_path=tmp_path).send_messages([message(str(number))])
    assert len(list(tmp_path.iterdir())) == 20
    assert sorted(map(int, subjects(tmp_path))) == list(range(20))


@pytest.mark.row("B11")
def test_without_messages_there_is_no_file(tmp_path):
    assert EmailBackend(file_path=tmp_path).send_messages([]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.row("B11")
def test_letters_are_written_as_they_are_sent(tmp_path):
    EmailBackend(file_path=tmp_path).send_messages([message(body="Grüße")])
    (path,) = tmp_path.iterdir()
    assert "Grüße".encode() in path.read_bytes()
    assert path.read_bytes().endswith(b"\n" + LINE)


# -- whole or not at all ------------------------------------------------------------------------


@pytest.fixture
def disk(monkeypatch):
    """
    What happens at each rename: a list of functions, called with the temporary path and the final one.

    A function that raises stands for a disk that fails.
    """
    happens = []
    rename = os.replace

    def replace(source, target):
        for function in happens:
            function(source, target)
        rename(source, target)

    monkeypatch.setattr(filebased.os, "replace", replace)
    return happens


@pytest.mark.row("B11")
def test_a_reader_sees_no_message_before_it_is_whole(tmp_path, disk):
    """What was written goes by a name that no reader looks for until all of it is there."""
    seen = []

    def look(source, _target):
        seen.append([path.read_bytes().count(LINE) for path in tmp_path.glob("*.log")])
        assert os.fspath(source).endswith(".tmp")
        assert os.path.basename(source).startswith(".")

    disk.append(look)
    backend = EmailBackend(file_path=tmp_path)
    backend.send_messages([message("1"), message("2")])
    backend.send_messages([message("3")])
    assert seen == [[], [2]]
    assert subjects(tmp_path) == ["1", "2", "3"]


@pytest.mark.row("B11", "B7")
def test_a_full_disk_is_passed_over_silently_and_leaves_nothing_half(tmp_path, disk):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    backend = EmailBackend(file_path=tmp_path, fail_silently=True)
    assert backend.send_messages([message("before")]) == 1
    disk.append(full)
    assert backend.send_messages([message("lost")]) == 0
    disk.clear()
    assert backend.send_messages([message("after")]) == 1
    assert subjects(tmp_path) == ["before", "after"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]


@pytest.mark.row("B11")
def test_a_folder_that_vanishes_is_an_error(tmp_path):
    backend = EmailBackend(file_path=tmp_path / "mail")
    (tmp_path / "mail").rmdir()
    with pytest.raises(FileNotFoundError):
        backend.send_messages([message()])


@pytest.mark.row("B11")
@pytest.mark.parametrize("fail_silently", [False, True])
def test_a_wrong_message_is_raised_and_the_right_ones_before_it_are_kept(tmp_path, fail_silently):
    backend = EmailBackend(file_path=tmp_path, fail_silently=fail_silently)
    with pytest.raises(BadHeaderError):
        backend.send_messages([message("right"), message("one\ntwo"), message("after")])
    assert subjects(tmp_path) == ["right"]


@pytest.mark.row("B11")
def test_threads_that_share_a_backend_lose_nothing(tmp_path):
    backend = EmailBackend(file_path=tmp_path)
    together = threading.Barrier(4)

    def send(thread):
        together.wait(30)
        for number in range(10):
            backend.send_messages([message(f"{thread}{number}")])

    threads = [threading.Thread(target=send, args=[thread]) for thread in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    wanted = [f"{thread}{number}" for thread in range(1, 5) for number in range(10)]
    assert sorted(subjects(tmp_path)) == wanted
