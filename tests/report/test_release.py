"""Which release runs, and where: out of variables, and out of a `.git` directory that is read as files."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errormail.report.release import CHARS, commit_of, environment_of, release_of

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def tree(tmp_path):
    """A work tree whose branch main is at HASH, and a function that writes into its `.git`."""
    git = tmp_path / "shop" / ".git"
    write(git, "HEAD", "ref: refs/heads/main\n")
    write(git, "refs/heads/main", f"{HASH}\n")
    (tmp_path / "shop" / "src" / "shop").mkdir(parents=True)
    return tmp_path / "shop"


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value", "release"),
    [
        ("HEROKU_BUILD_COMMIT", HASH, HASH[:12]),
        ("RENDER_GIT_COMMIT", HASH.upper(), HASH[:12]),
        ("GITHUB_SHA", f" {HASH}\n", HASH[:12]),
        ("K_REVISION", "shop-00012-abc", "shop-00012-abc"),
        ("SENTRY_RELEASE", "shop@2.4.1+build.7", "shop@2.4.1+build.7"),
        ("FLY_IMAGE_REF", "registry.fly.io/shop:deployment-01HPM", "deployment-01HPM"),
        ("FLY_IMAGE_REF", f"registry.fly.io/shop@sha256:{HASH}", HASH[:12]),
        ("GIT_COMMIT", "", ""),
        ("GIT_COMMIT", "two\nlines", ""),
        ("GIT_COMMIT", "x" * (CHARS + 1), ""),
        ("APP_VERSION", "https://user:password@host/", ""),
        ("APP_VERSION", "/srv/releases/7", ""),
        ("SOME_TOKEN", HASH, ""),
    ],
)
def test_the_release_is_what_a_variable_says(name, value, release):
    assert release_of({name: value}) == release


def test_what_somebody_has_chosen_goes_before_what_a_platform_always_sets():
    environ = {"GITHUB_SHA": HASH, "APP_VERSION": "2.4.1", "K_REVISION": "shop-1"}
    assert release_of(environ) == "2.4.1"


def test_heroku_s_variable_that_goes_stale_comes_last():
    assert release_of({"HEROKU_SLUG_COMMIT": "1" * 40, "HEROKU_BUILD_COMMIT": HASH}) == HASH[:12]


@pytest.mark.parametrize(
    ("environ", "environment"),
    [
        ({"APP_ENV": "staging"}, "staging"),
        ({"RAILWAY_ENVIRONMENT_NAME": "pr-7"}, "pr-7"),
        ({"VERCEL_ENV": "preview", "ENVIRONMENT": "qa"}, "qa"),
        ({"ENV": "/etc/shrc", "NODE_ENV": "production"}, ""),
        ({}, ""),
    ],
)
def test_the_environment_is_what_a_variable_says(environ, environment):
    assert environment_of(environ) == environment


@given(st.text())
def test_whatever_a_variable_holds_a_name_is_short_and_on_one_line(value):
    for found in (release_of({"GIT_COMMIT": value}), environment_of({"APP_ENV": value})):
        assert len(found) <= CHARS
        assert len(found.splitlines()) <= 1


def test_the_commit_is_found_from_a_folder_below(tree):
    assert commit_of([str(tree / "src" / "shop")]) == HASH[:12]


def test_a_detached_head_is_the_commit_itself(tree):
    write(tree / ".git", "HEAD", "f" * 40 + "\n")
    assert commit_of([str(tree)]) == "f" * 12


def test_a_packed_branch_is_found(tree):
    (tree / ".git/refs/heads/main").unlink()
    other, lines = "a" * 40, ["# pack-refs with: peeled fully-peeled sorted"]
    lines += [f"{other} refs/heads/main2", f"{HASH} refs/heads/main", f"^{other}"]
    write(tree / ".git", "packed-refs", "\n".join([*lines, f"{other} refs/tags/v1", ""]))
    assert commit_of([str(tree)]) == HASH[:12]


def test_a_loose_branch_goes_before_a_packed_one(tree):
    write(tree / ".git", "packed-refs", f"{'a' * 40} refs/heads/main\n")
    assert commit_of([str(tree)]) == HASH[:12]


def test_a_further_work_tree_has_its_own_head_and_shared_branches(tree):
    own = tree / ".git" / "worktrees" / "fix"
    write(own, "HEAD", "ref: refs/heads/fix\n")
    write(own, "commondir", "../..\n")
    write(tree / ".git", "refs/heads/fix", "b" * 40)
    write(tree.parent / "fix", ".git", f"gitdir: {own}\n")
    assert commit_of([str(tree.parent / "fix")]) == "b" * 12


def test_a_submodule_names_its_repository_by_a_relative_path(tree):
    write(tree / ".git/modules/lib", "HEAD", "c" * 40)
    write(tree / "lib", ".git", "gitdir: ../.git/modules/lib\n")
    assert commit_of([str(tree / "lib")]) == "c" * 12


def test_the_first_folder_that_has_one_decides(tree, tmp_path):
    write(tmp_path / "other" / ".git", "HEAD", "d" * 40)
    assert commit_of([str(tmp_path), "", str(tree), str(tmp_path / "other")]) == HASH[:12]


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: refs/heads/gone",
        "ref: ../../etc/passwd",
        "ref: refs/../../secret",
        "ref: /etc/passwd",
        "ref: refs/heads/.invalid",
        "no commit at all",
        "ref: refs/heads/main\0",
        "ref: HEAD",
    ],
)
def test_a_head_that_leads_nowhere_gives_nothing(tree, head):
    (tree / ".git" / "HEAD").write_text(head, encoding="utf-8")
    write(tree, "secret", HASH)
    assert commit_of([str(tree)]) == ""


def test_branches_that_name_each_other_end(tree):
    write(tree / ".git", "refs/heads/main", "ref: refs/heads/other\n")
    write(tree / ".git", "refs/heads/other", "ref: refs/heads/main\n")
    assert commit_of([str(tree)]) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
def test_a_fifo_in_place_of_a_file_is_not_waited_for(tree):
    (tree / ".git" / "HEAD").unlink()
    os.mkfifo(tree / ".git" / "HEAD")
    assert commit_of([str(tree)]) == ""


def test_a_huge_file_is_not_read(tree):
    with (tree / ".git" / "HEAD").open("r+b") as file:
        file.truncate(900_000_000)
    assert commit_of([str(tree)]) == ""


def test_what_was_checked_out_after_the_program_began_is_not_what_runs(tree):
    changed = (tree / ".git/refs/heads/main").stat().st_mtime
    assert commit_of([str(tree)], changed_before=changed + 1) == HASH[:12]
    assert commit_of([str(tree)], changed_before=changed - 1) == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_git_itself_writes_is_understood(tmp_path):
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(tmp_path)]

    def run(*args):
        done = subprocess.run([*git, *args], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "-q")
    run("commit", "-q", "--allow-empty", "-m", "one")
    commit = run("rev-parse", "HEAD")
    assert commit_of([str(tmp_path)]) == commit[:12]
    run("pack-refs", "--all")
    assert commit_of([str(tmp_path)]) == commit[:12]
    run("worktree", "add", "-q", str(tmp_path / "second"), "-b", "second")
    assert commit_of([str(tmp_path / "second")]) == commit[:12]
    run("checkout", "-q", "--detach")
    assert commit_of([str(tmp_path)]) == commit[:12]
