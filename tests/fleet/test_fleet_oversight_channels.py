"""Apprise really brings a message to a webhook on this machine, and says so when nobody answers there."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from private_servers import free_port

from fleet.oversight.channels import Channels


@pytest.fixture
def hook():
    """A web server that remembers what is posted to it."""
    posted: list[dict] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_webhook_gets_the_message(hook):
    address, posted = hook
    channels = Channels({"li": [address], "wang": []})
    assert channels.send("li", "工单", "有工单交您办理：第 7 号") == ""
    assert [each["message"] for each in posted] == ["有工单交您办理：第 7 号"]
    assert (channels.reaches("li"), channels.reaches("wang"), channels.reaches("nobody")) == (True, False, False)


def test_what_nobody_takes_is_told_by_number_and_not_by_address():
    channels = Channels({"li": [f"json://user:hunter2@127.0.0.1:{free_port()}/hook"]})
    said = channels.send("li", "x", "y")
    assert said == "address 1 of li did not take the message"
    assert channels.send("nobody", "x", "y") == "no address under [notify] reaches nobody"
