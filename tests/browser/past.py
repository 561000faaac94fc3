"""Gives a database a month of past: past.py DATABASE

Failures began on some day of it, others ended, and each check has a curve. Only for pictures.
"""

import json
import random
import sqlite3
import sys
import time

DAY = 86_400
MICRO = 1_000_000
now = int(time.time())
random.seed(7)
database = sqlite3.connect(sys.argv[1])
for number, severity in database.execute("SELECT number, severity FROM checks").fetchall():
    longest = 9 if severity == "critical" else 25
    for (login,) in database.execute(
        "SELECT login FROM failure WHERE check_number = ?", (number,)
    ).fetchall():
        age = int(random.random() ** 2 * longest * DAY) + random.randrange(3600, 40_000)
        database.execute(
            "UPDATE failure SET opened_at = ?, is_dated = 1 WHERE login = ? AND check_number = ?",
            ((now - age) * MICRO, login, number),
        )
    failing = database.execute(
        "SELECT count(*) FROM failure WHERE check_number = ?", (number,)
    ).fetchone()[0]
    days, hours, at_end = [], [], failing
    for back in range(30):
        new, resolved = random.randrange(4), random.randrange(4)
        days.append([now // DAY - back, at_end, new, resolved])
        if back < 2:
            hours.append([now // 3600 - 24 * back - 3, at_end, new, resolved])
        at_end = max(0, at_end - new + resolved)
        for _ in range(resolved):
            closed = now - back * DAY - random.randrange(DAY // 2)
            database.execute(
                "INSERT INTO failure_closed (check_number, login, opened_at, closed_at,"
                " is_announced, reason, is_dated) VALUES (?, 'someone', ?, ?, 1,"
                " 'no_longer_failing', 1)",
                (number, (closed - random.randrange(DAY, 9 * DAY)) * MICRO, closed * MICRO),
            )
    trend = json.dumps([hours[::-1], days[::-1]])
    database.execute("UPDATE checks SET trend = ? WHERE number = ?", (trend, number))
database.commit()
