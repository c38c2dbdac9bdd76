"""BuildStream's own artifact server on a port of the system's choice.

The package has the same server as a command, but that one tells nobody which port it got or when it serves.
Usage: FOLDER [KEY CERTIFICATE], both PEM, for TLS.
"""

import signal
import sys

import grpc
from buildstream._artifactcache import casserver

folder, *tls = sys.argv[1:]
server = casserver.create_server(folder, enable_push=True)
if tls:
    pair = tuple(open(file, "rb").read() for file in tls)
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
else:
    port = server.add_insecure_port("localhost:0")
server.start()
print("serving localhost:%d" % port, flush=True)
signal.pause()
