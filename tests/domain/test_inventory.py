"""What is known of an asset, and what is missing of what somebody asks for."""

import pytest

from csms.domain.inventory import EquipmentKind, EquipmentRecord, OperatorRecord, SiteRecord, missing


def test_missing_fields_keep_their_order() -> None:
    """Unknown is None, an empty text or an empty list; nought and no are known."""
    site = SiteRecord("MA1JXN9C2", "S1", "S1", parking_spaces=0, open_all_day=False)

    found = missing(site, ("pictures", "parking_spaces", "name", "open_all_day", "area_code", "site"))

    assert found == ("pictures", "name", "area_code")


def test_nothing_is_missing_of_a_full_record() -> None:
    """What is required and there is not told."""
    equipment = EquipmentRecord("MA1JXN9C2", "S1", "E1", kind=EquipmentKind.DC, power_w=120_000)

    assert missing(equipment, ("kind", "power_w", "equipment_id")) == ()


def test_a_required_field_that_does_not_exist_is_an_error() -> None:
    """A profile with a misspelt field fails loudly."""
    with pytest.raises(AttributeError):
        missing(OperatorRecord("MA1JXN9C2"), ("usc_id",))
