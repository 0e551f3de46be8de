"""What single makes of charging stations need, as data: `data/*.yaml`, and the one question to ask.

`profile_for(vendor, model, firmware)` gives the first profile that matches, or the ordinary one.
"""

from csms.vendors.profiles import ORDINARY, Profile, load, profile_for, profile_named

__all__ = ["ORDINARY", "Profile", "load", "profile_for", "profile_named"]
