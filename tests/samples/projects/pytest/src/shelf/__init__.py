"""Where a book stands."""

from __future__ import annotations


def sort_key(title: str) -> str:
    """The title as it is sorted: in small letters, without a leading article."""
    # TODO: articles of other languages
    for article in ("the ", "a "):
        if title.lower().startswith(article):
            title = title[len(article):]
    return title.lower()


def width(pages: int) -> int:
    """Millimetres that a book of this many pages takes."""
    if pages < 0:
        raise ValueError("a book has no negative pages")
    return 2 + pages // 20
