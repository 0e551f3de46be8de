"""Words that are stored and shown: they must not change."""

from csms.domain.quality import EnergySource, Flag


def test_words_are_stable() -> None:
    """Databases, exports and the console have them."""
    assert [source.value for source in EnergySource] == [
        "registers",
        "begin-end",
        "periodic",
        "interval",
        "none",
    ]
    assert len({flag.value for flag in Flag}) == 20
    assert all(flag.value == flag.name.lower().replace("_", "-") for flag in Flag)
