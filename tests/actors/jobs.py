"""Jobs to deliver, backends that misbehave, and programs that end in every way a program can end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import errormail
from actors import reports
from errormail.conf import Settings, settings
from errormail.delivery.job import Destination, Job
from errormail.delivery.worker import sending
from errormail.mail.backends.base import BaseEmailBackend

FOLDERS = [str(Path(errormail.__file__).parent.parent), str(Path(__file__).parent.parent)]


def to(port: int = 0, /, *, recipients=("ops@example.com",), **changes: Any) -> Destination:
    """Return the way to the mail server at *port*; *changes* are fields of `Destination`, or settings by their names."""
    given = {name: changes.pop(name) for name in list(changes) if name.isupper()}
    return Destination(
        settings=Settings(EMAIL_HOST="127.0.0.1", EMAIL_PORT=port or 25, **given),
        recipients=tuple(recipients),
        sender="shop@example.com",
        subject_prefix="[shop] ",
        **changes,
    )


def job(destination: Destination, words: str = "boom", /, **changes: Any) -> Job:
    """Return a job whose email has the subject ``[shop] ERROR: words``."""
    return Job(report=reports.report(message=words), destination=destination, **changes)


def words_of(messages) -> list[str]:
    """Return the *words* of `job` of the messages that arrived."""
    return [each.message["Subject"].removeprefix("[shop] ERROR: ") for each in messages]


class Recorder(BaseEmailBackend):
    """Notes what is true while it sends. Raises what is in `trouble`, at the step that names it."""

    log: list[tuple[str, Any]]
    """Step, and what was looked at there."""
    trouble: dict[str, list[BaseException | None]]
    count: int | None

    @classmethod
    def reset(cls) -> None:
        cls.log, cls.trouble, cls.count = [], {"open": [], "send": []}, 1

    @classmethod
    def steps(cls) -> list[str]:
        return [step for step, _ in cls.log]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout: float | None = settings.EMAIL_TIMEOUT

    def _step(self, name: str, fact: object) -> None:
        self.log.append((name, fact))
        errors = self.trouble.get(name)
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error

    def open(self) -> bool:
        self._step("open", self.timeout)
        return True

    def close(self) -> None:
        self._step("close", None)

    def send_messages(self, email_messages: Any) -> Any:
        for email in email_messages:
            self._step("send", (email, settings.SERVICE, sending()))
        return self.count


RECORDER = "actors.jobs.Recorder"


def run(folder: Path, program: str, *arguments: object, timeout: float = 60, **env: str):
    """Run *program*, the text of a Python file, and return how it ended. It can import errormail and actors."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(path), *map(str, arguments)]
    return subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(FOLDERS), **env},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
