"""exec and port-forward by the official Python client, through what a kubeconfig says."""

import sys

from kubernetes import client, config
from kubernetes.stream import portforward, stream

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
sys.stdout.write(stream(core.connect_get_namespaced_pod_exec, "web", "default", command=["echo", "from python"],
                        stdin=False, stdout=True, stderr=True, tty=False))
forward = portforward(core.connect_get_namespaced_pod_portforward, "web", "default", ports="8080")
socket = forward.socket(8080)
socket.setblocking(True)
socket.sendall(b"shouted\n")
sys.stdout.write(socket.recv(64).decode())
socket.close()
