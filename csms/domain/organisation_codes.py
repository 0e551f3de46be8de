"""Check characters of the USCID (GB 32100-2015) and the organisation code (GB 11714-1997). Pure."""

USCID_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_USCID_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CODE_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def uscid_check(first_17: str) -> str:
    """The 18th character of a unified social credit identifier. Raises ValueError for a foreign letter."""
    total = sum(USCID_LETTERS.index(c) * w for c, w in zip(first_17, _USCID_WEIGHTS, strict=True))
    return USCID_LETTERS[-total % 31]


def fault_of_uscid(text: str) -> str | None:
    """Why this is no unified social credit identifier, or None."""
    if len(text) != 18:
        return f"has {len(text)} characters; a unified social credit identifier has 18"
    bad = sorted({letter for letter in text if letter not in USCID_LETTERS})
    if bad:
        return f"has {' '.join(bad)}; digits and capital letters without I, O, S, V, Z are allowed"
    wanted = uscid_check(text[:17])
    return None if text[17] == wanted else f"ends in {text[17]}, but its check character is {wanted}"


def organisation_check(first_8: str) -> str:
    """The ninth character of an organisation code. Raises ValueError for a foreign letter."""
    total = sum(_CODE_LETTERS.index(c) * w for c, w in zip(first_8, _CODE_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
