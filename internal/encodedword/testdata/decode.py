"""Print the texts that Python's email makes of header fields, given and printed as JSON, one a line."""
import email
import email.header
import email.policy
import json
import sys


def legacy(value):
    return str(email.header.make_header(email.header.decode_header(value), header_name="Subject"))


def modern(value):
    return str(email.message_from_string("Subject: " + value + "\n\n", policy=email.policy.default)["Subject"])


for line in sys.stdin:
    texts = []
    for decode in (legacy, modern):
        try:
            texts.append(decode(json.loads(line)).encode("utf-8", "replace").decode())
        except Exception:  # Python gives up: nobody sees a text
            pass
    print(json.dumps(texts), flush=True)
