"""Has OpenDKIM and dkimpy verify the messages of a directory, NAME.eml each, and prints their
verdicts as JSON: {NAME: [OPENDKIM, DKIMPY]}, "" for valid or why not. Runs in a network and mount
namespace of its own, where resolv.conf names an unbound of the given configuration."""
import json
import logging
import os
import subprocess
import sys
import time

directory, conf = sys.argv[1:]
subprocess.check_call(["ip", "link", "set", "lo", "up"])
resolv = os.path.join(directory, "resolv.conf")
with open(resolv, "w") as f:
    f.write("nameserver 127.0.0.1\n")
subprocess.check_call(["mount", "--bind", resolv, "/etc/resolv.conf"])

import dkim  # reads resolv.conf
import dns.resolver

unbound = subprocess.Popen(["unbound", "-d", "-p", "-c", conf])
for _ in range(200):
    try:
        dns.resolver.resolve("ready.test.example", "A", lifetime=1)
        break
    except dns.exception.DNSException:
        if unbound.poll() is not None:
            sys.exit("unbound has ended")
        time.sleep(0.05)


class Reasons(logging.Handler):
    def emit(self, record):
        reasons.append(record.getMessage())


log = logging.getLogger("dkim")
log.addHandler(Reasons())
verdicts = {}
for name in sorted(os.listdir(directory)):
    if not name.endswith(".eml"):
        continue
    with open(os.path.join(directory, name), "rb") as f:
        message = f.read()
    run = subprocess.run(["opendkim-testmsg"], input=message, capture_output=True)
    opendkim = run.stderr.decode().strip() or ("" if run.returncode == 0 else "status %d" % run.returncode)
    reasons = []
    try:
        valid = dkim.DKIM(message, logger=log, minkey=1024).verify()
    except Exception as e:
        valid, reasons = False, [repr(e)]
    verdicts[name[:-len(".eml")]] = [opendkim, "" if valid else "; ".join(reasons) or "not valid"]
unbound.kill()
json.dump(verdicts, sys.stdout)
