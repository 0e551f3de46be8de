"""Every quality flag is explained, in both languages."""

from csms.domain.flag_words import FLAG_WORDS
from csms.domain.quality import Flag


def test_every_flag_has_its_words() -> None:
    """And no two of them the same."""
    assert set(FLAG_WORDS) == set(Flag)
    assert len({words.zh for words in FLAG_WORDS.values()}) == len(Flag)
    assert len({words.en for words in FLAG_WORDS.values()}) == len(Flag)
