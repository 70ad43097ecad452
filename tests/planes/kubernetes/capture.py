"""Writes down what kubectl sends when it creates an object, beside the JSON that it would have sent.

    capture.py KUBECTL FILE

A server on a port of its own says of every resource that it is there and takes any object; the first body that is
posted is the one. The JSON comes from the same command with `--dry-run=client -o json`. One case is three lines: the
command, the body in base64, the JSON. The proxy's reader of protobuf is held against them (`typed_tests.rs`).
"""

import base64
import http.server
import json
import subprocess
import sys
import tempfile
import threading

COMMANDS = """
create namespace shop
create serviceaccount bot
create secret generic pw --from-literal=password=hunter2 --from-literal=a.b=c
create secret docker-registry reg --docker-server=r.example --docker-username=u --docker-password=p
create configmap conf --from-literal=a.b=1 --from-literal=c=
create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=x
create rolebinding readers --role=reader --user=bob --serviceaccount=shop:bot
create clusterrole reader --verb=get --non-resource-url=/healthz/*
create clusterrole all --aggregation-rule=a=b
create clusterrolebinding readers --clusterrole=reader --group=dev
create service clusterip web --tcp=80:8080 --tcp=443:https
create service clusterip headless --clusterip=None
create service nodeport web --tcp=80:8080 --node-port=30080
create service loadbalancer web --tcp=80:8080
create service externalname web --external-name=example.com
create deployment web --image=nginx --replicas=2 --port=80
create deployment none --image=nginx --replicas=0
create job once --image=busybox -- sh -c true
create cronjob nightly --image=busybox --schedule=0_0_*_*_* --restart=Never
create ingress web --class=nginx --rule=example.com/a*=web:80,tls=cert --default-backend=web:http --annotation=a.b/c=d
create quota limits --hard=cpu=1,memory=1Gi,pods=0
create priorityclass high --value=1000 --global-default=true --description=d --preemption-policy=Never
create priorityclass zero --value=0
create poddisruptionbudget web --selector=app=web --min-available=50%
create poddisruptionbudget two --selector=app=web --max-unavailable=2
""".strip().splitlines()

RESOURCES = {
    "v1": ["namespaces:Namespace", "serviceaccounts:ServiceAccount", "secrets:Secret", "configmaps:ConfigMap",
           "services:Service", "resourcequotas:ResourceQuota", "pods:Pod"],
    "apps/v1": ["deployments:Deployment"],
    "batch/v1": ["jobs:Job", "cronjobs:CronJob"],
    "networking.k8s.io/v1": ["ingresses:Ingress"],
    "policy/v1": ["poddisruptionbudgets:PodDisruptionBudget"],
    "rbac.authorization.k8s.io/v1": ["roles:Role", "rolebindings:RoleBinding", "clusterroles:ClusterRole",
                                     "clusterrolebindings:ClusterRoleBinding"],
    "scheduling.k8s.io/v1": ["priorityclasses:PriorityClass"],
}
OF_THE_CLUSTER = {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass"}
POSTED = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, media="application/json", status=200):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path = self.path.split("?")[0].strip("/")
        if path == "version":
            return self.answer({"major": "1", "minor": "37", "gitVersion": "v1.37.1"})
        if path == "api":
            return self.answer({"kind": "APIVersions", "versions": ["v1"]})
        if path == "apis":
            groups = []
            for version in list(RESOURCES)[1:]:
                one = {"groupVersion": version, "version": "v1"}
                groups.append({"name": version.split("/")[0], "versions": [one], "preferredVersion": one})
            return self.answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        version = path.removeprefix("apis/").removeprefix("api/")
        if version in RESOURCES:
            resources = []
            for one in RESOURCES[version]:
                name, kind = one.split(":")
                resources.append({"name": name, "singularName": kind.lower(), "kind": kind, "verbs": ["create", "get", "list"],
                                  "namespaced": kind not in OF_THE_CLUSTER})
            return self.answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version,
                                "resources": resources})
        return self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404},
                           status=404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        POSTED.append((self.headers["content-type"], body))
        self.answer(body, self.headers["content-type"], 201)

    def log_message(self, *_):
        pass


def main():
    kubectl, path = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = [kubectl, "--kubeconfig", "/dev/null", "--server", f"http://127.0.0.1:{server.server_port}"]
    with tempfile.TemporaryDirectory() as home:
        run = lambda arguments: subprocess.run(base + arguments, env={"HOME": home}, capture_output=True, text=True)
        with open(path, "w") as file:
            file.write("# Made by tests/planes/kubernetes/capture.py with kubectl 1.37.1: command, body, JSON.\n")
            for command in COMMANDS:
                arguments = [word.replace("_", " ") if word.startswith("--schedule") else word for word in command.split()]
                at = arguments.index("--") if "--" in arguments else len(arguments)
                POSTED.clear()
                done = run(arguments)
                if done.returncode or not POSTED:
                    sys.exit(f"{command}: {done.stderr}")
                media, body = POSTED[0]
                if media != "application/vnd.kubernetes.protobuf":
                    sys.stderr.write(f"{command}: sent as {media}\n")
                    continue
                as_json = run(arguments[:at] + ["--dry-run=client", "-o", "json"] + arguments[at:])
                if as_json.returncode:
                    sys.exit(f"{command}: {as_json.stderr}")
                text = json.dumps(json.loads(as_json.stdout), separators=(",", ":"))
                file.write(f"\n{command}\n{base64.b64encode(body).decode()}\n{text}\n")


if __name__ == "__main__":
    main()
