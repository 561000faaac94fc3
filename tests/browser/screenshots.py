"""Takes the pictures in docs/images: screenshots.py OPS_URL FOLDER"""

import sys

from chromium import DESK, PHONE, chromium

# The page, who looks at it, and in which light.
PICTURES = {
    "status-light": ("/", DESK, "light"),
    "status-dark": ("/", DESK, "dark"),
    "status-phone": ("/", PHONE, "light"),
    "user-dark": ("", DESK, "dark"),
}

url, folder = sys.argv[1:]
with chromium() as browser:
    for name, (path, viewport, scheme) in PICTURES.items():
        page = browser.new_page(viewport=viewport, color_scheme=scheme)
        page.goto(url + path)
        if not path:
            page.click("#watched tbody a")
        page.wait_for_selector("#live[data-state=on]")
        page.screenshot(path=f"{folder}/{name}.png")
        page.close()
