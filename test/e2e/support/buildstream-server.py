"""BuildStream's own artifact server on a port of the system's choice.

The package has the same server as a command, but that one tells nobody which port it got or when it serves.
Usage: FOLDER [KEY CERTIFICATE], both PEM, for TLS. With BATCH_BYTES in the environment it takes batches of no more than that, and does not say so.
"""

import os
import signal
import sys

import grpc
from buildstream._artifactcache import casserver

folder, *tls = sys.argv[1:]
if "BATCH_BYTES" in os.environ:
    casserver._MAX_PAYLOAD_BYTES = int(os.environ["BATCH_BYTES"])

    def say_nothing(self, request, context):
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        return casserver.remote_execution_pb2.ServerCapabilities()

    casserver._CapabilitiesServicer.GetCapabilities = say_nothing
server = casserver.create_server(folder, enable_push=True)
if tls:
    pair = tuple(open(file, "rb").read() for file in tls)
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
else:
    port = server.add_insecure_port("localhost:0")
server.start()
print("serving localhost:%d" % port, flush=True)
signal.pause()
