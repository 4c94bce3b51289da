"""Environment and release: as the settings say, else as they are found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from errormail import conf
from errormail.report.release import ENVIRONMENT_NAMES, RELEASE_NAMES
from errormail.reporter import Failure, deployment, report
from errormail.reporter.deployment import deployment_of

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch, tmp_path):
    """A process whose variables and folders say nothing."""
    for name in (*ENVIRONMENT_NAMES, *RELEASE_NAMES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    deployment.found.cache_clear()
    yield
    deployment.found.cache_clear()


def checkout(folder, age=3_600.0):
    """Make *folder* a work tree whose commit was checked out *age* seconds ago."""
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text(HASH)
    then = time.time() - age
    os.utime(folder / ".git" / "HEAD", (then, then))


def found(**settings):
    return deployment_of(conf.Settings(**settings))


def test_where_nothing_is_said_nothing_is_claimed():
    assert found() == ("", "")


def test_settings_go_before_what_is_found(monkeypatch):
    monkeypatch.setenv("APP_ENV", "staging")
    monkeypatch.setenv("GIT_COMMIT", HASH)
    assert found() == ("staging", HASH[:12])
    assert found(ENVIRONMENT="production") == ("production", HASH[:12])
    assert found(RELEASE="2.4.1") == ("staging", "2.4.1")


def test_the_commit_of_the_working_directory_is_the_release(tmp_path, monkeypatch):
    checkout(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setattr(deployment, "started_at", time.time)
    assert found() == ("", HASH[:12])


def test_the_main_script_s_folder_goes_first(tmp_path, monkeypatch):
    checkout(tmp_path / "shop")
    monkeypatch.setattr(deployment, "started_at", time.time)
    sys.modules["__main__"].__file__ = str(tmp_path / "shop" / "src" / "manage.py")
    assert found() == ("", HASH[:12])


@pytest.mark.parametrize(
    "script", ["bin/gunicorn", "lib/python3.11/site-packages/gunicorn/__main__.py"]
)
def test_a_console_script_or_an_installed_one_is_not_the_program(tmp_path, monkeypatch, script):
    """~/.local/bin/gunicorn may lie in the checkout of somebody's dotfiles."""
    checkout(tmp_path / "home")
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    sys.modules["__main__"].__file__ = str(tmp_path / "home" / script)
    assert found() == ("", "")


def test_what_was_pulled_while_the_program_ran_is_not_what_runs(tmp_path, monkeypatch):
    checkout(tmp_path, age=10.0)
    monkeypatch.setattr(deployment, "started_at", lambda: time.time() - 60)
    assert found() == ("", "")


def test_it_is_looked_for_once(tmp_path, monkeypatch):
    monkeypatch.setattr(deployment, "started_at", time.time)
    assert found() == ("", "")
    checkout(tmp_path)
    assert found() == ("", "")


def test_a_working_directory_that_was_deleted_costs_nothing(tmp_path, monkeypatch):
    def gone():
        raise FileNotFoundError

    monkeypatch.setattr(deployment.os, "getcwd", gone)
    assert found() == ("", "")


def test_it_stands_in_the_report(monkeypatch):
    handed = []
    monkeypatch.setenv("APP_ENV", "staging")
    monkeypatch.setenv("RENDER_GIT_COMMIT", HASH)
    monkeypatch.setattr(
        "errormail.reporter.hand_over", lambda job: handed.append(job.report) or True
    )
    with conf.override_settings(ADMINS=["ops@example.com"]):
        report(Failure(exc=KeyError("x")))
    assert (handed[0].environment, handed[0].release) == ("staging", HASH[:12])


def test_no_program_is_run(tmp_path):
    """Not git either: a program that has crashed starts nothing."""
    source = Path(deployment.__file__).parent.parent / "report" / "release.py"
    assert "subprocess" not in source.read_text(encoding="utf-8")
    code = (
        "import sys; sys.addaudithook(lambda event, args: event in "
        "{'subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.fork'} and sys.exit(3))\n"
        "from errormail.reporter.deployment import found; found()"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
