import pytest

from shelf import sort_key, width


@pytest.mark.parametrize(
    ("title", "key"),
    [("The Waves", "waves"), ("A Room", "room"), ("An Essay", "essay"), ("Theory", "theory")],
)
def test_articles_do_not_count(title, key):
    assert sort_key(title) == key


def test_width_grows_with_pages():
    assert width(400) == 22


def test_negative_pages_are_refused():
    with pytest.raises(ValueError):
        width(-1)
