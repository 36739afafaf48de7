"""A port that an outgoing connection has, while a daemon wants to start there."""
import contextlib
import socket
import struct

import replica
import shop


def outgoing_connection():
    """A connection, and the server at its other end."""
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.socket()
    client.bind(("127.0.0.1", 0))
    client.connect(server.getsockname())
    # it ends by a reset, and nothing of it stays
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return client, server


def a_gateway_waits_for_a_port_that_an_outgoing_connection_has():
    client, server = outgoing_connection()
    ports = iter([client.getsockname()[1], replica.free_port()])
    replica.free_port = lambda: next(ports)
    with contextlib.closing(server):
        gateway = replica.Replica("gateway", wait=False)
        shop.within(shop.PATIENCE_S, lambda: "an outgoing connection has our port" in gateway.log())
        client.close()
        shop.within(shop.PATIENCE_S, lambda: shop.get(gateway.url + "/healthz")[0] == 200)
    gateway.end()  # its log is whole now
    assert '"the port is free"' in gateway.log(), gateway.log()


shop.fact(a_gateway_waits_for_a_port_that_an_outgoing_connection_has)
shop.finish()
