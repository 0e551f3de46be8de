"""Which of a site's assets a platform is told of. Pure: what the profile and the settings say, applied."""

from collections.abc import Collection
from dataclasses import replace

from csms.domain.inventory import EquipmentRecord
from csms.reporting.tcec.profile import Reportable
from csms.reporting.tcec.stations import SiteInfo


def reported(info: SiteInfo, rule: Reportable, only: Collection[str] = ()) -> SiteInfo | None:
    """The part of a site that is told; None where nothing is. `only`: codes of sites, empty for all."""
    if only and info.site.site not in only:
        return None
    if rule.sites == "kind":
        return info if info.site.kind in rule.kinds else None
    if rule.sites == "all":
        return info
    kept = tuple(one for one in info.equipment if _is_told(one, rule))
    names = {one.equipment_id for one in kept}
    plugs = tuple(plug for plug in info.connectors if plug.equipment_id in names)
    return replace(info, equipment=kept, connectors=plugs) if kept else None


def _is_told(one: EquipmentRecord, rule: Reportable) -> bool:
    if rule.sites == "subsidy":
        return one.subsidised is True
    return one.charger_class in rule.classes
