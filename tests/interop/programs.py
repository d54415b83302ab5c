# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright 2026 The Moat authors

"""Programs that are talked to through pipes. Nothing here sleeps: a wait ends when a program says
something, ends, or the deadline has come."""

import os
import selectors
import subprocess
import time


class Program:
    """One running program; its standard output and error are one text."""

    def __init__(self, label, command, environment=None):
        self.label = label
        self.command = command
        self.output = ""
        self.status = None
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    @property
    def has_ended(self):
        return self.status is not None

    def send(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # It has ended, or its input has; whoever waits for the answer finds out.

    def close_input(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def read(self):
        data = self.process.stdout.read()
        if data:
            self.output += data.decode(errors="replace")
        elif data is not None:
            self.reap()

    def reap(self):
        try:
            self.status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.status = self.process.wait()

    def stop(self):
        """Ends it, however it is, and takes what it still says."""
        self.close_input()
        if not self.has_ended:
            self.process.terminate()
            self.reap()
            self.read()
        self.process.stdout.close()

    def transcript(self):
        lines = "\n".join("    " + line for line in self.output.splitlines())
        return f"  {self.label}: {' '.join(self.command)}\n{lines}\n  exit status {self.status}"


def wait_until(programs, is_reached, deadline, on_output=None):
    """Reads from the programs until is_reached() or the deadline (of time.monotonic()); says which
    of them it was. on_output() is called whenever something was read."""
    while not is_reached():
        left = deadline - time.monotonic()
        running = [program for program in programs if not program.has_ended]
        if left <= 0 or not running:
            return False
        with selectors.DefaultSelector() as selector:
            for program in running:
                selector.register(program.process.stdout, selectors.EVENT_READ, program)
            for key, _ in selector.select(left):
                key.data.read()
        if on_output is not None:
            on_output()
    return True
