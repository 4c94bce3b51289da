"""Whether there is room for us on the stack, and another stack where there is none: at the bottom of a recursion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context

__all__ = ["has_room", "on_a_fresh_stack"]

FRAMES = 120
"""A report takes 30 to 40 frames, delivery by SMTP some more, and what a program's own code takes is not known."""


def has_room() -> bool:
    """Return whether *FRAMES* more calls may be nested in one another."""
    try:
        _descend(FRAMES)
    except RecursionError:
        return False
    return True


def on_a_fresh_stack(call: Callable[[], bool]) -> bool:
    """
    Return what *call* returns, called in another thread, in this context; False where there is no room even for that.

    Who handles the failure further out may then report it: nobody has noted that it was reported.
    """
    answers: list[bool] = []
    context = copy_context()

    def work() -> None:
        answers.append(context.run(call))

    try:
        # By this thread's name: it is the one that failed.
        thread = threading.Thread(target=work, name=threading.current_thread().name)
        thread.start()
        thread.join()
    except RuntimeError:  # RecursionError is one; or the interpreter is at its end
        return False
    return bool(answers) and answers[0]


def _descend(frames: int) -> None:
    if frames:
        _descend(frames - 1)
