"""A TLS door before a plain server, for tests: tls_front.py CERTIFICATE KEY PLAIN_PORT PORT_FILE
Listens on 127.0.0.1, writes its port into PORT_FILE, and carries every connection on to 127.0.0.1:PLAIN_PORT."""
import os
import socket
import ssl
import sys
import threading


def carry(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(raw, context, plain_port):
    try:
        outer = context.wrap_socket(raw, server_side=True)
        inner = socket.create_connection(("127.0.0.1", plain_port))
    except OSError:  # ssl.SSLError too: the client did not like the certificate
        raw.close()
        return
    back = threading.Thread(target=carry, args=(inner, outer), daemon=True)
    back.start()
    carry(outer, inner)


def main():
    certificate, key, plain_port, port_file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    with open(port_file + ".new", "w") as f:
        f.write(str(listener.getsockname()[1]))
    os.rename(port_file + ".new", port_file)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context, plain_port), daemon=True).start()


main()
