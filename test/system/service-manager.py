"""A service manager as a test wants it: starts a program, keeps the descriptors that it stores, hands them to the next.

    service-manager.py SOCKET PROGRAM ARGUMENT...

Commands come as lines on stdin: start, term, kill, quit. What happens goes to stdout as lines of JSON, beside the
program's own: {"event": "manager-notify", "text": ..., "stored": N}, {"event": "manager-exit", "code": N}.
After sd_notify(3) and sd_listen_fds(3) of systemd's documentation.
"""

import array
import json
import os
import select
import signal
import socket
import sys

FIRST = 3
path, command = sys.argv[1], sys.argv[2:]
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
store = {}
child = 0
wake_in, wake_out = os.pipe()
os.set_blocking(wake_out, False)
signal.set_wakeup_fd(wake_out)
signal.signal(signal.SIGCHLD, lambda *_: None)


def say(event, **fields):
    os.write(1, (json.dumps({"event": event, **fields}) + "\n").encode())


def start():
    global child
    child = os.fork()
    if child:
        return
    names = list(store)
    # First out of the way of the numbers that they are to have.
    high = [os.dup2(store[name], 100 + i, inheritable=True) for i, name in enumerate(names)]
    environment = dict(os.environ, NOTIFY_SOCKET=path, FDSTORE="4", WATCHDOG_USEC="1000000")
    environment["WATCHDOG_PID"] = environment["LISTEN_PID"] = str(os.getpid())
    environment["LISTEN_FDS"] = str(len(names))
    environment["LISTEN_FDNAMES"] = ":".join(names)
    for i, fd in enumerate(high):
        os.dup2(fd, FIRST + i, inheritable=True)
        os.close(fd)
    os.execve(command[0], command, environment)


def heard():
    descriptors = array.array("i")
    text, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(4 * 4))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data)
    fields = dict(line.split("=", 1) for line in text.decode().splitlines())
    name = fields.get("FDNAME", "stored")
    if "FDSTORE" in fields:
        for fd in descriptors:
            forget(name)
            store[name] = fd
    if "FDSTOREREMOVE" in fields:
        forget(name)
    say("manager-notify", text=text.decode(), stored=len(store))


def forget(name):
    if name in store:
        os.close(store.pop(name))


running = True
start()
while running:
    for ready in select.select([notify, 0, wake_in], [], [])[0]:
        if ready is notify:
            heard()
        elif ready == wake_in:
            os.read(wake_in, 64)
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                say("manager-exit", code=os.waitstatus_to_exitcode(status))
        else:
            for word in os.read(0, 4096).decode().split() or ["quit"]:
                if word == "start":
                    start()
                elif word == "term":
                    os.kill(child, signal.SIGTERM)
                elif word == "kill":
                    os.kill(child, signal.SIGKILL)
                elif word == "quit":
                    running = False
try:
    os.kill(child, signal.SIGKILL)
except ProcessLookupError:
    pass
