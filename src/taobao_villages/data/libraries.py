"""Libraries that not every place has: one clear sentence instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingLibrary(ImportError):
    """A library that this place does not have; a notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:  # what IPython prints instead of a traceback
        return [str(self)]


@contextmanager
def needs(what: str) -> Iterator[None]:
    """Import inside the ``with`` block; a missing library is told in one sentence.

    Parameters
    ----------
    what : str
        What cannot be done without it, for example "the map of outlines".

    Raises
    ------
    MissingLibrary
        Naming the library, what needs it and what to do.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingLibrary(
            f"{what} needs the library {error.name}, which is not installed here. Skip this part, "
            "or run the notebook where it is: on your own computer (make lab) or on Binder."
        ) from None
