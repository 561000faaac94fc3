"""Looks at the status page as people do: status_page.py OPS_URL WEBHOOK_URL SECRET

The log holds a check whose title is a script, and one user who fails it.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from chromium import DESK, PHONE, chromium

OPS_URL, WEBHOOK_URL, SECRET = sys.argv[1:]
TITLE = "<script>alert(1)</script>"
LOGIN = "\"><img src=x onerror=alert(1)>"

# How long a page may take, in milliseconds, also on a busy machine.
PATIENCE = 120_000

# The contrast of every text against the ground it stands on (WCAG 2, 1.4.3).
FAINT_TEXTS = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${element.outerHTML.slice(0, 80)}: ${contrast.toFixed(2)}`);
  }
  return faint;
}"""


# A word that has no place to be broken at.
LONG = "x" * 160

OPEN_FOLDS = "document.querySelectorAll('details').forEach((fold) => fold.open = true)"

TOO_FAR_RIGHT = """() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((element) => element.outerHTML.slice(0, 90))"""

# What a screen reader cannot name, and ids that are given twice (WCAG 2, 4.1).
NAMELESS = """() => {
  const text = (element) => element.getAttribute("aria-label") || element.textContent.trim()
    || element.querySelector("[aria-label]")?.getAttribute("aria-label");
  const found = [...document.querySelectorAll("a, button, summary, svg[role=img], h1, h2, h3")]
    .filter((element) => !text(element));
  for (const field of document.querySelectorAll("input, select")) {
    if (!document.querySelector(`label[for="${field.id}"]`)) found.push(field);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const name of document.querySelectorAll("[aria-labelledby]")) {
    if (!document.getElementById(name.getAttribute("aria-labelledby"))) found.push(name);
  }
  return [...found.map((element) => element.outerHTML.slice(0, 80)),
    ...ids.filter((id, at) => ids.indexOf(id) !== at)];
}"""


# What is wider than the place that it has.
CLIPPED = """() => [...document.querySelectorAll("td, th, p, h1, h2, h3, dd, dt, li, summary")]
  .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .filter((element) => getComputedStyle(element).display !== "inline")
  .map((element) => `${element.tagName}: ${element.textContent.slice(0, 60)}`)"""

# Ids that stand on a page twice.
SAME_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}"""

# In how many rows the links of the head stand.
ROWS_OF_LINKS = """() =>
  new Set([...document.querySelectorAll(".top nav a")].map((link) => link.offsetTop)).size"""

# Every page, with the data of these tests.
PAGES = [
    "/",
    "/?overdue=1",
    "/checks/odd",
    "/checks/odd?sort=login",
    "/users/late@example.com",
    "/deliveries",
    "/deliveries/1",
    "/health",
    "/watched",
    "/find?q=example",
]


def deliver(number, login):
    """Sends a webhook delivery about the check."""
    detail = {
        "checkId": "odd",
        "title": TITLE,
        "severity": "critical",
        "usersFailing": [login],
        "description": ["<b>bold</b>"],
        "recommendedActions": ["<i>act</i>"],
        "published": "2026-01-02T03:04:05.678Z",
    }
    body = {"id": number, "detail-type": "FAILED_CHECK", "time": "2026-01-02T03:04:05Z", "detail": detail}
    headers = {"content-type": "application/json", "x-api-client-token": SECRET}
    request = urllib.request.Request(WEBHOOK_URL, json.dumps(body).encode(), headers)
    assert urllib.request.urlopen(request).status == 200


def open_page(browser, path="/", **options):
    """A page on which anything that goes wrong is kept."""
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE)
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text))
    page.on("dialog", lambda dialog: (page.wrong.append(dialog.message), dialog.dismiss()))
    page.goto(OPS_URL + path)
    return page


def follow(page, selector):
    """Clicks on what leads to another page, and waits for that."""
    with page.expect_navigation():
        page.click(selector)


def keeps_itself_current(browser):
    page = open_page(browser, viewport=DESK)
    page.wait_for_selector("#live[data-state=on]")
    page.evaluate("window.loadedOnce = true")
    page.click("text=Filter the events")
    page.locator("#login").fill("half typed")
    deliver("2", "late@example.com")
    page.wait_for_selector("#event-list >> text=late@example.com newly fails")
    page.wait_for_selector("#summary >> text=2 failures of 2 users in 1 check")
    assert page.evaluate("window.loadedOnce"), "the page was loaded again"
    assert page.locator("#login").input_value() == "half typed", "the form was lost"
    assert page.wrong == [], page.wrong
    page.close()


def shows_foreign_text_as_text(browser):
    for path in ["/", "/checks/odd", "/users/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"]:
        page = open_page(browser, path)
        page.wait_for_selector("#live[data-state=on]")
        assert TITLE in page.inner_text("main"), path
        assert LOGIN in page.inner_text("main"), path
        assert page.locator("main script, main img, main i").count() == 0, path
        # The page emphasizes figures itself, and never what the description does.
        assert page.locator("main b", has_text="bold").count() == 0, path
        assert page.wrong == [], page.wrong
        page.close()


def is_whole_without_a_script(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(OPS_URL)
    page.click("text=Filter the events")
    page.fill("#login", "late@example.com")
    page.select_option("#name", "cii.check.failed")
    follow(page, "#events form button")
    rows = page.locator("#event-list li.event")
    assert rows.count() == 1 and "late@example.com" in rows.first.inner_text()
    follow(page, "#checks tbody a")
    assert page.inner_text("h1") == TITLE
    follow(page, "text=late@example.com")
    assert page.url.endswith("/users/late@example.com")
    context.close()


def can_be_read_by_everybody(browser):
    for scheme in ["light", "dark"]:
        for viewport in [DESK, PHONE]:
            page = open_page(browser, viewport=viewport, color_scheme=scheme)
            page.wait_for_selector("#live[data-state=on]")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= viewport["width"], f"{width} wide"
            assert (faint := page.evaluate(FAINT_TEXTS)) == [], faint
            page.close()
        for path in PAGES:
            page = open_page(browser, path, viewport=PHONE, color_scheme=scheme)
            page.wait_for_selector("#live[data-state=on]")
            page.evaluate("document.querySelectorAll('details').forEach((fold) => fold.open = true)")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"], f"{path}: {width} wide"
            assert (faint := page.evaluate(FAINT_TEXTS)) == [], faint
            assert page.locator("main script, main img").count() == 0, path
            page.close()
    for path in PAGES:
        for width in [320, 390, 768, 1024, 1280]:
            page = open_page(browser, path, viewport={"width": width, "height": 850})
            page.wait_for_selector("#live[data-state=on]")
            page.evaluate("document.querySelectorAll('details').forEach((fold) => fold.open = true)")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path}: {wide} wide at {width}"
            assert (clipped := page.evaluate(CLIPPED)) == [], f"{path} at {width}: {clipped}"
            assert (twice := page.evaluate(SAME_IDS)) == [], f"{path}: {twice}"
            page.close()
    # Paper is white, whatever the screen is.
    page = open_page(browser, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert (faint := page.evaluate(FAINT_TEXTS)) == [], faint
    page.close()
    page = open_page(browser)
    for landmark in ["header", "main", "footer", "nav[aria-label]", "h1"]:
        assert page.locator(landmark).count() >= 1, landmark
    assert page.locator("h1").count() == 1
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("input:not([id]), select:not([id])").count() == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def fits_every_screen(browser):
    """No page is wider than its screen, whatever was written from outside, with folds open."""
    deliver("3", LONG)
    deliver("4", f"{LONG}@{'long-name.' * 12}example.com")
    user = "/users/" + urllib.parse.quote(LONG)
    pages = ["/", "/health", "/watched", "/deliveries", "/deliveries/1", "/deliveries/2"]
    for path in [*pages, "/find?q=e", "/find?q=nobody", "/checks/odd", user]:
        page = open_page(browser, path, viewport=DESK)
        page.evaluate(OPEN_FOLDS)
        for width in [320, 390, 768, 1024, 1280]:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path}: {wide} wide at {width}: {page.evaluate(TOO_FAR_RIGHT)}"
            assert page.evaluate(ROWS_OF_LINKS) == 1, f"{path}: the head is broken at {width}"
        for scheme in ["light", "dark"]:
            page.emulate_media(color_scheme=scheme)
            assert (faint := page.evaluate(FAINT_TEXTS)) == [], (path, faint)
        assert page.locator("h1").count() == 1, path
        assert page.locator("main th:not([scope])").count() == 0, path
        assert (nameless := page.evaluate(NAMELESS)) == [], (path, nameless)
        assert page.locator("nav a[aria-current]").count() == 1, path
        assert page.wrong == [], (path, page.wrong)
        page.close()


def is_refused():
    """Sends a body that nobody understands; the page shows it as text."""
    headers = {"content-type": "application/json", "x-api-client-token": SECRET}
    body = f"{{ {TITLE} {'x' * 3000}".encode()
    try:
        urllib.request.urlopen(urllib.request.Request(WEBHOOK_URL, body, headers))
    except urllib.error.HTTPError as error:
        return error.code == 400
    return False


deliver("1", LOGIN)
assert is_refused()
with chromium() as browser:
    keeps_itself_current(browser)
    shows_foreign_text_as_text(browser)
    is_whole_without_a_script(browser)
    can_be_read_by_everybody(browser)
    fits_every_screen(browser)
