"""Where a program on this machine reaches a server of this machine."""

import ipaddress

_IPV6 = 6


def local_url(host: str, port: int) -> str:
    """`host` is what the server listens on: a name, an address, or all addresses."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = ipaddress.ip_address("::1" if address.version == _IPV6 else "127.0.0.1")
    return f"http://[{address}]:{port}" if address.version == _IPV6 else f"http://{address}:{port}"
