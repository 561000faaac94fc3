"""An OTLP receiver made of OpenTelemetry's own stubs, for the tests.

Takes logs over gRPC and over HTTP/protobuf on loopback, and prints one line of
JSON for its addresses and then for each log record, in the order of arrival.
"""

import argparse
import json
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as service
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as service_grpc

printing = threading.Lock()


def show(line):
    with printing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def receive(request, protocol):
    for resource_logs in request.resource_logs:
        resource = MessageToDict(resource_logs.resource)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                show({
                    "protocol": protocol,
                    "resource": resource,
                    "scope": MessageToDict(scope_logs.scope),
                    "record": MessageToDict(record),
                })
    return service.ExportLogsServiceResponse()


class Grpc(service_grpc.LogsServiceServicer):
    def Export(self, request, context):
        return receive(request, "grpc")


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.path == "/v1/logs"
        answer = b""
        if known:
            answer = receive(service.ExportLogsServiceRequest.FromString(body), "http").SerializeToString()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class HttpServer(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A sender that was killed, which is what some tests are about."""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--grpc-port", type=int, default=0)
    arguments.add_argument("--http-port", type=int, default=0)
    arguments = arguments.parse_args()
    grpc_server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    service_grpc.add_LogsServiceServicer_to_server(Grpc(), grpc_server)
    grpc_port = grpc_server.add_insecure_port(f"127.0.0.1:{arguments.grpc_port}")
    grpc_server.start()
    http_server = HttpServer(("127.0.0.1", arguments.http_port), Http)
    show({"grpc_port": grpc_port, "http_port": http_server.server_address[1]})
    http_server.serve_forever()


main()
