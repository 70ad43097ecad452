"""A day of the Python client: what it makes, changes, applies, scales, watches and deletes, a line for each answer.

    day.py KUBECONFIG
"""

import json
import sys

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
SPACE = "office"


def step(name, call):
    try:
        print(f"{name}: {call()}")
    except ApiException as error:
        print(f"{name}: {error.status} {json.loads(error.body)['message']}")


def deployment(image):
    labels = {"app": "web"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def shown(made):
    return f"{made.spec.replicas} of {made.spec.template.spec.containers[0].image}, {made.metadata.labels}"


def maps():
    return [one.metadata.name for one in core.list_namespaced_config_map(SPACE, label_selector="day").items]


def pages():
    seen, more = [], None
    while True:
        page = core.list_namespaced_config_map(SPACE, label_selector="day", limit=1, _continue=more)
        seen.append([one.metadata.name for one in page.items])
        more = page.metadata._continue
        if not more:
            return seen


def watched():
    events = watch.Watch().stream(core.list_namespaced_config_map, SPACE, label_selector="day", timeout_seconds=2)
    return sorted(f"{event['type']} {event['object'].metadata.name}" for event in events)


def config_map(number):
    return {"metadata": {"name": f"map-{number}", "labels": {"day": "one"}}, "data": {"number": str(number)}}


apply = {"_content_type": "application/apply-patch+yaml", "field_manager": "day", "force": True}
step("namespace", lambda: core.create_namespace({"metadata": {"name": SPACE}}).metadata.name)
step("again", lambda: core.create_namespace({"metadata": {"name": SPACE}}).metadata.name)
step("create", lambda: shown(apps.create_namespaced_deployment(SPACE, deployment("one"))))
step("replace", lambda: shown(apps.replace_namespaced_deployment("web", SPACE, deployment("two"))))
step("patch", lambda: shown(apps.patch_namespaced_deployment("web", SPACE, {"metadata": {"labels": {"a": "b"}}})))
step("json patch", lambda: shown(apps.patch_namespaced_deployment(
    "web", SPACE, [{"op": "replace", "path": "/spec/replicas", "value": 2}])))
step("apply", lambda: shown(apps.patch_namespaced_deployment("web", SPACE, deployment("three"), **apply)))
step("scale", lambda: apps.patch_namespaced_deployment_scale("web", SPACE, {"spec": {"replicas": 3}}).spec.replicas)
step("scaled", lambda: apps.read_namespaced_deployment_scale("web", SPACE).spec.replicas)
step("dry run", lambda: apps.delete_namespaced_deployment("web", SPACE, dry_run="All").status)
step("still there", lambda: shown(apps.read_namespaced_deployment("web", SPACE)))
for number in range(3):
    step("map", lambda: core.create_namespaced_config_map(SPACE, config_map(number)).data)
step("maps", maps)
step("pages", pages)
step("watch", watched)
step("delete one", lambda: core.delete_namespaced_config_map("map-0", SPACE).status)
step("delete the rest", lambda: core.delete_collection_namespaced_config_map(SPACE, label_selector="day").kind)
step("maps", maps)
step("gone", lambda: core.read_namespaced_config_map("map-0", SPACE).data)
step("delete", lambda: apps.delete_namespaced_deployment("web", SPACE).status)
step("delete the namespace", lambda: core.delete_namespace(SPACE).status)
