"""What a person or program may see: one operator or all, and of it some sites or all. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """`operator`: the code of the only one; None for all. `sites`: codes of the only ones; None for all."""

    operator: str | None = None
    sites: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is out of sight."""
        return self.operator is None and self.sites is None

    def holds(self, other: "Scope") -> bool:
        """Whether whoever has `other` sees nothing that is out of sight here."""
        if self.operator is not None and other.operator != self.operator:
            return False
        return self.sites is None or (other.sites is not None and other.sites <= self.sites)

    def sees(self, operator: str | None, site: str | None) -> bool:
        """Whether what belongs to this operator and stands at this site is in sight."""
        if self.operator is not None and operator != self.operator:
            return False
        return self.sites is None or site in self.sites


WHOLE = Scope()
