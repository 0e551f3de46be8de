"""Names by which cities know sites, stations and connectors unless others were given. Pure and stable.

A name that is too long keeps its beginning and ends in a hash of the whole, so that it stays the same for
ever and differs from every other.
"""

import hashlib

MAX_STATION_ID = 20
MAX_EQUIPMENT_ID = 22  # the standard allows 23; four digits more must fit ConnectorID's 26
MAX_CONNECTOR_ID = 26


def station_id(site_code: str) -> str:
    """StationID (<= 20) of a site: its code, or 9 characters of it, a dash and a hash."""
    return _within(site_code, MAX_STATION_ID, site_code)


def equipment_id(identity: str) -> str:
    """EquipmentID (<= 22) of a charging station: its identity, or its beginning, a dash and a hash."""
    return _within(identity, MAX_EQUIPMENT_ID, identity)


def connector_id(identity: str, evse: int, connector: int) -> str:
    """ConnectorID (<= 26): EquipmentID, then EVSE and connector number in two digits each.

    The four digits are always there, so that no two connectors share a name. Numbers above 99 are told
    by a hash instead.
    """
    if 0 <= evse <= 99 and 0 <= connector <= 99:
        return f"{equipment_id(identity)}{evse:02d}{connector:02d}"
    return _hashed(identity, MAX_CONNECTOR_ID, f"{identity}/{evse}/{connector}")


def _within(text: str, most: int, whole: str) -> str:
    return text if len(text) <= most else _hashed(text, most, whole)


def _hashed(text: str, most: int, whole: str) -> str:
    """The beginning of `text`, a dash and ten hexadecimal digits of `whole`, in `most` characters."""
    return f"{text[: most - 11]}-{hashlib.sha256(whole.encode()).hexdigest()[:10].upper()}"


def shown_beginning(name: str) -> str | None:
    """The beginning of the text that `name` may be a shortened form of; None when it is no such form."""
    head, dash, digits = name.rpartition("-")
    is_hash = len(digits) == 10 and all(d in "0123456789ABCDEF" for d in digits)
    return head if dash and is_hash else None


def parts_of_connector_id(name: str) -> tuple[str, int, int] | None:
    """(EquipmentID, EVSE, connector) of a name that `connector_id` makes of numbers up to 99, else None."""
    digits = name[-4:]
    if len(name) <= 4 or not (digits.isascii() and digits.isdigit()):
        return None
    return name[:-4], int(digits[:2]), int(digits[2:])
