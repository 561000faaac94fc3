"""Delivers what fails in a simulated tenant, for pictures: deliver.py SIMULATOR_URL WEBHOOK_URL SECRET"""

import json
import sys
import time
import urllib.request

# As the simulator has them.
CHECKS = {
    "no-mfa": ("No MFA Configured", "critical"),
    "user-impersonation": ("User Impersonation", "critical"),
    "mfa-flood": ("MFA Flood", "high"),
    "access-from-denied-territories": ("Access from Denied Territories", "high"),
    "admin-role-assigned": ("Admin Role Assigned", "high"),
    "bypass-code-used": ("Bypass Code Used Instead of MFA", "medium"),
    "dormant-account": ("Dormant Accounts", "medium"),
    "unusually-high-activity": ("Accounts With Unusually High Activity", "medium"),
    "personal-vpn-usage": ("Personal VPN Usage", "low"),
    "rare-browser": ("Sign-in From a Rare Browser", "low"),
}

simulator, webhook, secret = sys.argv[1:]
failing = json.load(urllib.request.urlopen(f"{simulator}/_simulator/state"))["failing"]
moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
for check, (title, severity) in CHECKS.items():
    detail = {
        "checkId": check,
        "title": title,
        "severity": severity,
        "usersFailing": [login for login, checks in failing.items() if check in checks],
        "description": [f"Finds users for {title}."],
        "recommendedActions": ["Ask the user, then change what is wrong in the identity provider."],
        "published": moment,
    }
    envelope = {"id": f"{check}-1", "detail-type": "FAILED_CHECK", "time": moment}
    body = json.dumps({**envelope, "source": "6aa99e6b-5e55-4254-8ae4-e13a01e20963", "detail": detail})
    headers = {"content-type": "application/json", "x-api-client-token": secret}
    urllib.request.urlopen(urllib.request.Request(webhook, body.encode(), headers))
