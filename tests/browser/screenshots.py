"""Takes the pictures in docs/images: screenshots.py OPS_URL FOLDER"""

import base64
import sys

from chromium import PHONE, chromium

DESK = {"width": 1280, "height": 860}

# The page, who looks at it, and in which light. Of a user, the worst off of the watch list.
PICTURES = {
    "home-light": ("/", DESK, "light"),
    "home-dark": ("/", DESK, "dark"),
    "check": ("/checks/no-mfa", DESK, "light"),
    "user-phone": (None, PHONE, "light"),
    "health": ("/health", DESK, "light"),
}

# The browser itself makes the pictures small enough for a repository.
TO_WEBP = """async (png) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.9).split(",")[1];
}"""

url, folder = sys.argv[1:]
with chromium() as browser:
    blank = browser.new_page()
    for name, (path, viewport, scheme) in PICTURES.items():
        page = browser.new_page(viewport=viewport, color_scheme=scheme, device_scale_factor=1.5)
        page.goto(url + (path or "/watched"))
        if path is None:
            page.click("#users tbody tr:has(.critical):has(small) th a")
        page.wait_for_selector("#live[data-state=on]")
        png = base64.b64encode(page.screenshot()).decode()
        page.close()
        with open(f"{folder}/{name}.webp", "wb") as file:
            file.write(base64.b64decode(blank.evaluate(TO_WEBP, png)))
