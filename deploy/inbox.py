"""Writes what Alertmanager sends, a line an alert: a receiver to look at before there is another.

Listens at 127.0.0.1:5001, or at the port that the first argument says."""

import http.server
import json
import sys


class Inbox(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        message = json.loads(body)
        for alert in message.get("alerts", []):
            labels, notes = alert.get("labels", {}), alert.get("annotations", {})
            line = [
                message.get("receiver", "?"),
                alert.get("status", "?"),
                labels.get("alertname", "?"),
                notes.get("summary", ""),
                notes.get("description", ""),
            ]
            # Texts come from outside: a line stays one line.
            print(" | ".join(" ".join(part.split()) for part in line), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5001
    http.server.HTTPServer(("127.0.0.1", port), Inbox).serve_forever()
