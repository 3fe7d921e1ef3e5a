"""Print the text of each message of a directory as Python's email package sees it, one JSON object a line.

HTML is reduced by html.parser; of such messages only the characters are compared, because the order of texts and the
breaks between them are another's affair.
"""
import email
import html.parser
import json
import os
import sys

BLOCKS = set("""address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption
figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol optgroup option
p plaintext pre section select summary table tbody textarea tfoot thead title tr ul xmp""".split())

HTML = []  # of the message
BINARY = set(range(32)) - set(b"\t\n\r\f\x1b")


class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out = []
        self.skip = ""

    def handle_starttag(self, tag, attrs):
        self.skip = tag if tag in ("script", "style") else ""
        self.gap(tag)
        for key, value in attrs:
            if key in ("alt", "placeholder") or key == "value" and tag == "input":
                kind = dict(attrs).get("type") or ""
                if key != "value" or kind.lower() not in ("hidden", "radio", "checkbox", "password", "file", "image"):
                    self.out.append(value or "")

    def handle_endtag(self, tag):
        self.skip = ""
        self.gap(tag)

    def gap(self, tag):
        if tag in BLOCKS:
            self.out.append("\n")
        elif tag in ("td", "th", "button"):
            self.out.append(" ")

    def handle_data(self, data):
        if not self.skip:
            self.out.append(data)


def decode(octets, charset):
    if charset in ("iso-8859-1", "latin1"):  # as browsers and mail programs read it
        charset = "windows-1252"
    for name in (charset if charset not in (None, "us-ascii", "ascii") else "utf-8", "utf-8"):
        try:
            return octets.decode(name)
        except (LookupError, UnicodeError):
            pass
    return octets.decode("windows-1252", "replace")


def texts(part, out):
    if part.is_multipart():
        if part.get_content_maintype() == "multipart":
            out.append(part.preamble or "")
        for sub in part.get_payload():
            texts(sub, out)
        if part.get_content_maintype() == "multipart":
            out.append(part.epilogue or "")
        return
    if part.get_content_maintype() not in ("text", "multipart"):
        # Of other types what is text all the same, such as signatures and scripts, is read.
        if set((part.get_payload(decode=True) or b"")[:3072]) & BINARY:
            return
    text = decode(part.get_payload(decode=True) or b"", part.get_content_charset())
    if part.get_content_type() == "text/html":
        parser = Text()
        parser.feed(text)
        parser.close()
        text = "".join(parser.out)
        HTML.append(text)
    out.append(text)


for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb") as f:
        message = email.message_from_binary_file(f)
    out = []
    HTML.clear()
    texts(message, out)
    text = "\n".join(out).encode("utf-8", "replace").decode()
    print(json.dumps({"name": name, "text": text, "html": len(HTML) > 0}))
