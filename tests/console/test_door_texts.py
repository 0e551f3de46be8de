"""The door's texts."""

from csms.console.door_texts import DOOR


def test_both_languages_say_the_same_things() -> None:
    """A text that is missing in one would be a page that fails."""
    assert set(DOOR["en"]) == set(DOOR["zh-CN"])
    assert all(DOOR["en"].values())
    assert all(DOOR["zh-CN"].values())
