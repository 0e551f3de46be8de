"""Which network addresses are on the public Internet. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
NAT64 = IPv6Network("64:ff9b::/96")  # the well-known prefix of translators
# Protocol assignments, and site-local addresses (RFC 3879): not every Python knows all of them.
INSIDE = (IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10"))


def is_public(text: str) -> bool:
    """Whether an address is neither private, loopback, link-local, shared, multicast nor reserved.

    IPv6 forms that carry an IPv4 address are judged by it. What is no address is not public.
    """
    try:
        address: Address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.teredo is not None:
            return False  # it leads where somebody's own relay says
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    if any(address in network for network in INSIDE):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
