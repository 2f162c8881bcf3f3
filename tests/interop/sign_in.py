#!/usr/bin/env python3
"""Prints an ID token from the ordinary code flow: sign_in.py URL EMAIL PASSWORD."""

import sys

from server import Server

server = Server.__new__(Server)
server.url = server.local = sys.argv[1]
print(server.token(email=sys.argv[2], password=sys.argv[3]))
