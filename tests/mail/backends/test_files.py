"""The backend that writes to files: whole messages, or none."""

from __future__ import annotations

import email
import email.policy
import os
from pathlib import Path

import pytest

from errormail import conf
from errormail.exceptions import ImproperlyConfigured
from errormail.mail import EmailMessage
from errormail.mail.backends.filebased import EmailBackend


def message(subject="s"):
    return EmailMessage(subject, "text\n", "a@example.com", ["b@example.com"])


def only_file(folder):
    (path,) = folder.iterdir()
    return path


@pytest.mark.row("B11")
@pytest.mark.parametrize("kind", [str, Path])
def test_messages_of_one_instance_are_in_one_file_of_a_folder_that_is_made(kind, tmp_path):
    folder = tmp_path / "mail" / "out"
    backend = EmailBackend(file_path=kind(folder))
    assert backend.send_messages([message("one"), message("two")]) == 2
    assert backend.send_messages([message("three")]) == 1
    parts = only_file(folder).read_bytes().split(b"-" * 79 + b"\n")
    subjects = [
        email.message_from_bytes(part, policy=email.policy.default)["Subject"]
        for part in parts[:-1]
    ]
    assert subjects == ["one", "two", "three"]
    assert parts[-1] == b""
    EmailBackend(file_path=folder).send_messages([message()])
    assert len(list(folder.iterdir())) == 2


@pytest.mark.row("B11")
def test_the_folder_comes_from_the_settings(tmp_path):
    with conf.override_settings(EMAIL_FILE_PATH=str(tmp_path)):
        EmailBackend().send_messages([message()])
    assert b"Subject: s" in only_file(tmp_path).read_bytes()


@pytest.mark.row("B11")
def test_a_path_that_is_no_folder_or_none_is_a_wrong_setting(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="file"):
        EmailBackend(file_path=tmp_path / "file")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FILE_PATH"):
        EmailBackend()


@pytest.mark.row("B11")
def test_a_folder_that_cannot_be_made_is_a_wrong_setting(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="EMAIL_FILE_PATH"):
        EmailBackend(file_path=tmp_path / "file" / "folder")


@pytest.mark.row("B11")
def test_a_message_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    backend = EmailBackend(file_path=tmp_path)
    backend.send_messages([message("one")])
    before = only_file(tmp_path).read_bytes()

    def full(*_):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        backend.send_messages([message("two")])
    assert only_file(tmp_path).read_bytes() == before  # and nothing half written beside it
