"""Writes the HTML parts of all messages below a directory: one JSON object a line, with the name of
the message, the charset that the part declares, and its octets in base64."""

import base64
import email
import json
import os
import sys

directory = sys.argv[1]
for name in sorted(os.listdir(directory)):
    with open(os.path.join(directory, name), "rb") as f:
        message = email.message_from_binary_file(f)
    for part in message.walk():
        if part.get_content_type() == "text/html" and not part.is_multipart():
            octets = part.get_payload(decode=True) or b""
            charset = part.get_param("charset") or ""
            if isinstance(charset, tuple):
                charset = charset[2]
            print(json.dumps({"name": name, "charset": charset, "octets": base64.b64encode(octets).decode()}))
