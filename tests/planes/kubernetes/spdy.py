"""A stub's side of SPDY/3.1, as far as a port-forward needs it: streams that are opened by the other side, their headers,
their bytes and their ends.

`kubectl port-forward` opens two streams for each connection, one for errors and one for data, which name themselves in
their headers. What comes for data is sent back in capitals. Flow control, priorities and settings are read over, as the
client's own library does. The bytes come in messages of a WebSocket (`SPDY/3.1+portforward.k8s.io`) or over a connection
that has changed its protocol; how they come is not seen here.
"""

import hashlib
import struct
import zlib

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1

# What both sides take as said before the first header (SPDY/3, section 2.6.10.1): words with their lengths, then text.
WORDS = """options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range
if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer
retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status
200_OK version HTTP/1.1 url public set-cookie keep-alive origin"""
TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal "
    "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
    "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+"
    "xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(
    struct.pack(">I", len(word)) + word.replace("_", " ").encode() for word in WORDS.split()
) + TEXT.encode()
assert hashlib.sha256(DICTIONARY).hexdigest() == "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"


class PortForward:
    """Takes bytes, and gives back what is to be sent."""

    def __init__(self):
        self.received = b""
        self.inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.deflate = zlib.compressobj(zdict=DICTIONARY)
        self.streams = {}

    def take(self, data):
        self.received += data
        out = []
        while len(self.received) >= 8:
            length = int.from_bytes(self.received[5:8], "big")
            if len(self.received) < 8 + length:
                break
            frame, self.received = self.received[:8 + length], self.received[8 + length:]
            out.append(self.frame(frame[:4], frame[4], frame[8:]))
        return b"".join(out)

    def frame(self, head, flags, body):
        word = int.from_bytes(head, "big")
        if not word >> 31:
            return self.data(word, flags, body)
        if word >> 16 & 0x7FFF != 3:
            raise ValueError(f"version {word >> 16 & 0x7FFF} of SPDY")
        kind = word & 0xFFFF
        if kind == SYN_STREAM:
            return self.opened(int.from_bytes(body[:4], "big"), body[10:])
        if kind == PING:
            return control(PING, body)
        if kind == RST_STREAM:
            self.streams.pop(int.from_bytes(body[:4], "big"), None)
        return b""

    def opened(self, stream, block):
        headers = self.headers(block)
        self.streams[stream] = {name: headers[name] for name in ("streamtype", "port", "requestid")}
        reply = self.deflate.compress(struct.pack(">I", 0)) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(SYN_REPLY, struct.pack(">I", stream) + reply)

    def headers(self, block):
        block = self.inflate.decompress(block)
        texts, at = [], 4
        for _ in range(2 * int.from_bytes(block[:4], "big")):
            length = int.from_bytes(block[at:at + 4], "big")
            texts.append(block[at + 4:at + 4 + length].decode())
            at += 4 + length
        return dict(zip(texts[::2], texts[1::2]))

    def data(self, stream, flags, body):
        asked = self.streams.get(stream)
        if not asked or asked["streamtype"] != "data":
            return b""
        if asked["port"] != "8080":
            return self.end(stream, asked, f"nobody listens on {asked['port']}")
        out = sent(stream, body.upper()) if body else b""
        return out + self.end(stream, asked, "") if flags & FIN else out

    def end(self, stream, asked, why):
        """Ends both streams of a connection; an error is what the first of them carries."""
        pair = [other for other, named in self.streams.items() if named["requestid"] == asked["requestid"]]
        for other in pair:
            del self.streams[other]
        errors = [other for other in pair if other != stream]
        return b"".join(sent(other, why.encode(), FIN) for other in errors) + sent(stream, b"", FIN)


def control(kind, body):
    return struct.pack(">HH", 0x8003, kind) + len(body).to_bytes(4, "big") + body


def sent(stream, body, flags=0):
    return struct.pack(">I", stream) + bytes([flags]) + len(body).to_bytes(3, "big") + body
