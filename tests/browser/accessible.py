"""Looks on every page for what keeps people out: accessible.py OPS_URL WEBHOOK_URL SECRET AXE

AXE is the file of axe-core, which checks by WCAG 2.1, levels A and AA.
"""

import json
import sys
import urllib.error
import urllib.request

from chromium import DESK, PHONE, chromium

OPS_URL, WEBHOOK_URL, SECRET, AXE = sys.argv[1:]

# How long a page may take, in milliseconds, also on a busy machine.
PATIENCE = 120_000

RUN = """() => axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
  resultTypes: ["violations"],
})"""

OPEN_FOLDS = "document.querySelectorAll('details').forEach((fold) => fold.open = true)"

EMPTY = ["/", "/health", "/watched", "/deliveries", "/find", "/nowhere"]

FULL = [
    "/",
    "/?login=ann@example.com",
    "/?overdue=1",
    "/health",
    "/watched",
    "/deliveries",
    "/deliveries/1",
    "/deliveries/3",
    "/deliveries/99",
    "/checks/no-mfa",
    "/checks/no-mfa?sort=login",
    "/checks?id=..",
    "/users/ann@example.com",
    "/ips/203.0.113.7",
    "/ips/not-an-address",
    "/find?q=n",
    "/find?q=nobody",
]


def post(body):
    headers = {"content-type": "application/json", "x-api-client-token": SECRET}
    try:
        return urllib.request.urlopen(urllib.request.Request(WEBHOOK_URL, body, headers)).status
    except urllib.error.HTTPError as error:
        return error.code


def deliver(number, check, severity, users):
    detail = {
        "checkId": check,
        "title": f"The check {check}",
        "severity": severity,
        "usersFailing": users,
        "description": ["What it looks for."],
        "recommendedActions": ["What to do."],
        "published": "2026-01-02T03:04:05.678Z",
    }
    body = {"id": number, "detail-type": "FAILED_CHECK", "time": "2026-01-02T03:04:05Z", "detail": detail}
    assert post(json.dumps(body).encode()) == 200


def violations(browser, paths, scheme, viewport):
    for path in paths:
        page = browser.new_page(viewport=viewport, color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        page.add_init_script(path=AXE)
        page.goto(OPS_URL + path)
        page.evaluate(OPEN_FOLDS)
        for found in page.evaluate(RUN)["violations"]:
            nodes = [node["html"][:160] for node in found["nodes"][:3]]
            yield f"{path}, {scheme}, {viewport['width']} px: {found['id']}: {found['help']}: {nodes}"
        page.close()


with chromium() as browser:
    found = list(violations(browser, EMPTY, "light", DESK))
    users = ["ann@example.com", "nina@example.com", ".."]
    deliver("1", "no-mfa", "critical", users)
    deliver("2", "..", "low", users)
    assert post(b"{ no json") == 400
    for scheme, viewport in [("light", DESK), ("dark", DESK), ("light", PHONE)]:
        found += violations(browser, FULL, scheme, viewport)
assert not found, "\n".join(found)
