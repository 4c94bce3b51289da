"""Writes messages to files."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from errormail.conf import settings
from errormail.exceptions import ImproperlyConfigured, InvalidMailer
from errormail.mail.backends.base import BaseEmailBackend
from errormail.mail.message import EmailMessage

__all__ = ["EmailBackend"]

SEPARATOR = b"-" * 79


def file_content(message: EmailMessage) -> bytes:
    """Return *message* as it stands in a file."""
    return message.message().as_bytes() + b"\n" + SEPARATOR + b"\n"


class EmailBackend(BaseEmailBackend):
    """
    Writes messages to a file of its own in *file_path*, each with a line of dashes after it.

    Who looks into the folder sees messages completely or not at all.

    Args:
        file_path: A folder, made if it is not there; EMAIL_FILE_PATH if None.

    Raises:
        ImproperlyConfigured: There is none, or it cannot be made, or nothing can be written to it.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        file_path: str | os.PathLike[str] | None = None,
        alias: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fail_silently=fail_silently, alias=alias, **options)
        if file_path is None and alias is None:
            file_path = settings.EMAIL_FILE_PATH
        self.file_path: Path = self._folder(file_path)
        stamp = datetime.now(timezone.utc).astimezone().strftime("%Y%m%d-%H%M%S")
        self._file = self.file_path / f"{stamp}-{os.getpid()}-{secrets.token_hex(4)}.log"
        self._lock = threading.RLock()

    def _folder(self, file_path: str | os.PathLike[str] | None) -> Path:
        if file_path is None:
            raise self._refusal("expected a folder, got none")
        path = Path(os.path.abspath(file_path))
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise self._refusal(f"{str(path)!r} exists, but is not a directory") from error
        except OSError as error:
            raise self._refusal(f"{str(path)!r} cannot be made: {error}") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise self._refusal(f"{str(path)!r} is not writable")
        return path

    def _refusal(self, reason: str) -> ImproperlyConfigured:
        if self.alias is None:
            return ImproperlyConfigured(f"EMAIL_FILE_PATH: {reason}")
        where = f"MAILERS[{self.alias!r}]['OPTIONS']['file_path']"
        return InvalidMailer(f"{where}: {reason}", alias=self.alias)

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        written: list[bytes] = []
        with self._lock:
            try:
                written.extend(map(file_content, email_messages))
            finally:  # a wrong message does not take the right ones before it along
                is_kept = self._append(b"".join(written))
        return len(written) if is_kept else 0

    def _append(self, content: bytes) -> bool:
        """Add *content* to the file; False if that failed silently."""
        if not content:
            return True
        # A dot and no .log: who lists the messages passes it over.
        temporary = self._file.with_name(f".{self._file.stem}.tmp")
        try:
            before = self._file.read_bytes() if self._file.exists() else b""
            with open(temporary, "xb") as stream:
                stream.write(before + content)
            os.replace(temporary, self._file)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            if not self.fail_silently:
                raise
            return False
        return True
