"""Servers of Google Cloud's APIs that others wrote, each of which says a line a request.

    servers.py gcplocal | drongo | storage PORT

`gcplocal` serves Compute Engine among others, with pages and operations; `drongo` a dozen APIs, whose answers name Google's
own hosts; `storage` is gcp-storage-emulator, whose answers name the host that it was asked at.
"""

import logging
import pathlib
import sys

# What is beside this file is not looked for.
sys.path = [entry for entry in sys.path if pathlib.Path(entry).resolve() != pathlib.Path(__file__).resolve().parent]


def gcplocal(port):
    from gcplocal.server import start_server
    from werkzeug.serving import WSGIRequestHandler

    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    WSGIRequestHandler.log_request = said
    start_server("127.0.0.1", port)


def drongo(port):
    from drongo import server

    server.DrongoHTTPRequestHandler.log_request = said
    server.run("127.0.0.1", port)


def storage(port):
    from gcp_storage_emulator import server

    server.RequestHandler.log_request = said
    logging.getLogger("gcp_storage_emulator").setLevel(logging.WARNING)
    server.create_server("127.0.0.1", port, in_memory=True).run()


def said(handler, code="-", _size="-"):
    print(f'"{handler.requestline}" {code}', file=sys.stderr, flush=True)


if __name__ == "__main__":
    {"gcplocal": gcplocal, "drongo": drongo, "storage": storage}[sys.argv[1]](int(sys.argv[2]))
