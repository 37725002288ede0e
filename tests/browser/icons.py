"""Draws the icons of an installed Switchyard from our favicon:  python -m tests.browser.icons

Writes static/img/icon-*.png. A phone cuts the maskable one to whatever shape it likes: what matters lies within the
middle four fifths (https://www.w3.org/TR/appmanifest/#icon-masks), and the ground reaches to every edge.
"""

from __future__ import annotations

import shutil

from playwright.sync_api import sync_playwright

from app.config import PROJECT_ROOT

_IMAGES = PROJECT_ROOT / "static" / "img"
_GROUND = "#1a1a2e"
#: File name, side in pixels, how much of it the drawing fills, and what is behind it: systems that cut corners
#: themselves want the ground to reach into ours.
_ICONS = (
    ("icon-180.png", 180, 1.0, _GROUND),
    ("icon-192.png", 192, 1.0, "transparent"),
    ("icon-512.png", 512, 1.0, "transparent"),
    ("icon-maskable-512.png", 512, 0.75, _GROUND),
)
_FLAGS = ("--no-sandbox", "--disable-gpu")


def main() -> None:
    """Draw each."""
    drawing = (_IMAGES / "favicon.svg").read_text()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        for name, side, share, ground in _ICONS:
            page = browser.new_page(viewport={"width": side, "height": side})
            page.set_content(
                f"<style>body {{ margin: 0; height: 100vh; display: grid; place-items: center; background: {ground} }}"
                f"svg {{ width: {share:.0%} }}</style>{drawing}"
            )
            page.screenshot(path=_IMAGES / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
