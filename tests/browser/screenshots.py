"""Takes the pictures in docs/images: screenshots.py OPS_URL FOLDER"""

import sys

from chromium import DESK, PHONE, chromium

PICTURES = {
    "status-light": (DESK, "light"),
    "status-dark": (DESK, "dark"),
    "status-phone": (PHONE, "light"),
    "status-phone-dark": (PHONE, "dark"),
}

url, folder = sys.argv[1:]
with chromium() as browser:
    for name, (viewport, scheme) in PICTURES.items():
        page = browser.new_page(viewport=viewport, color_scheme=scheme)
        page.goto(url)
        page.wait_for_selector("#live[data-state=on]")
        page.screenshot(path=f"{folder}/{name}.png", full_page=scheme == "dark" and viewport is DESK)
        page.close()
