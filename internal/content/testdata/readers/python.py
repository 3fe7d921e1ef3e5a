# Prints what Python's email finds in each message of a directory, with both of its header parsers:
# a line of JSON for each, {"Names": […], "Text": "…"}.
import email, email.header, email.policy, json, os, sys

def parts(msg, depth=0):
    yield msg
    if msg.is_multipart() and depth < 20:
        for part in msg.get_payload():
            yield from parts(part, depth + 1)

for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb") as f:
        octets = f.read()
    names, text = [], []
    for policy in (email.policy.compat32, email.policy.default):
        for part in parts(email.message_from_bytes(octets, policy=policy)):
            try:
                found = part.get_filename()
                if found:  # encoded words are left to the caller
                    names.append(str(email.header.make_header(email.header.decode_header(str(found)))))
            except Exception:  # it fails at some headers
                pass
            if part.is_multipart():
                continue
            try:
                body = part.get_payload(decode=True)
            except Exception:
                continue
            if body:
                text.append(body.decode("latin-1"))
    print(json.dumps({"Names": names, "Text": "\n".join(text)}))
