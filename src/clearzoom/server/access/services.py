"""The services of IIIF Authorization Flow 2.0, as descriptions of closed pictures state them.

References:
    https://iiif.io/api/auth/2.0/ , sections 3 to 6.
"""

from typing import Any
from urllib.parse import quote, urlsplit

from clearzoom.server.access.visitors import is_open

CONTEXT = "http://iiif.io/api/auth/2/context.json"
PATH = "/iiif/auth/2"


def add_services(content: dict[str, Any], root: str, identifier: str, access: str | None) -> None:
    """Add to a picture's info.json where its visitors log in; nothing where it is for all.

    Args:
        content: the description, which has a ``@context`` already.
        root: the address at which the client reaches the server, without a slash.
        identifier: the picture's, decoded.
        access: the group that may see it.
    """
    if is_open(access):
        return
    content["@context"] = [CONTEXT, content["@context"]]
    content["service"] = [probe_service(root, identifier, str(access))]


def probe_service(root: str, identifier: str, group: str) -> dict[str, Any]:
    """Describe how a client learns whether its visitor may see a picture, and where to log in.

    Args:
        root: the address at which the client reaches the server, without a slash.
        identifier: the picture's, decoded.
        group: the group that may see it.
    """
    base, host = f"{root}{PATH}", urlsplit(root).netloc
    token = {
        "id": f"{base}/token/{group}",
        "type": "AuthAccessTokenService2",
        "errorHeading": {"en": ["Not logged in"], "zh-Hant": ["尚未登入"]},
        "errorNote": {
            "en": ["Log in again, and allow cookies of this site if the browser blocks them."],
            "zh-Hant": ["請重新登入；若瀏覽器封鎖了這個網站的 Cookie，請允許。"],
        },
    }
    logout = {
        "id": f"{base}/logout/{group}",
        "type": "AuthLogoutService2",
        "label": {"en": [f"Log out of {host}"], "zh-Hant": [f"登出 {host}"]},
    }
    access = {
        "id": f"{base}/access/{group}",
        "type": "AuthAccessService2",
        "profile": "active",
        "label": {"en": [f"Log in at {host}"], "zh-Hant": [f"登入 {host}"]},
        "heading": {"en": ["These pictures need a password"], "zh-Hant": ["這些圖片需要密碼"]},
        "note": {
            "en": [f"{host} shows them to the group “{group}”. The password comes from its owner."],
            "zh-Hant": [f"{host} 只讓「{group}」群組觀看；密碼請向擁有者索取。"],
        },
        "confirmLabel": {"en": ["Log in"], "zh-Hant": ["登入"]},
        "service": [token, logout],
    }
    return {
        "id": f"{base}/probe/{quote(identifier, safe=',!')}",
        "type": "AuthProbeService2",
        "errorHeading": {"en": ["No access"], "zh-Hant": ["無法觀看"]},
        "service": [access],
    }
