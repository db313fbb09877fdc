"""Shuts every way to the network and notes who tried; Python runs it when a process starts."""

import os
import socket
import sys

NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "urllib.Request"}
PLACES = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}


def refuse(event, arguments):
    if not os.environ.get("ATTEMPTS"):
        return  # Two processes that train together do reach for each other.
    remote = event in PLACES and arguments[0].family in (socket.AF_INET, socket.AF_INET6)
    if event in NAMES or remote:
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {arguments[1:]} in {sys.argv}\n")
        raise PermissionError("no network in this test")


sys.addaudithook(refuse)
