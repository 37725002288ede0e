"""A phone can install Switchyard: the manifest is served, and each icon is there in the size it says."""

from __future__ import annotations

import json
import re
import struct

from flask.testing import FlaskClient


def test_the_manifest_names_icons_of_the_sizes_it_says(client: FlaskClient) -> None:
    page = client.get("/login", follow_redirects=True).text
    address = re.search(r'rel="manifest" href="([^"]+)"', page)
    assert address is not None
    with client.get(address[1]) as served:
        manifest = json.loads(served.data)
    assert (manifest["display"], manifest["start_url"]) == ("standalone", "/")
    pictures = [icon for icon in manifest["icons"] if icon["type"] == "image/png"]
    assert {icon["sizes"] for icon in pictures} == {"192x192", "512x512"}
    assert any(icon.get("purpose") == "maskable" for icon in pictures)
    for icon in pictures:
        with client.get(f"/static/{icon['src']}") as picture:
            width, height = struct.unpack(">II", picture.data[16:24])
        assert f"{width}x{height}" == icon["sizes"]
