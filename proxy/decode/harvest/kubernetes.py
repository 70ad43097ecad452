#!/usr/bin/env python3
"""Makes proxy/catalog/kubernetes/messages.txt from the pinned packages: which field of which message of the Kubernetes
API has which number, name and type.

    kubernetes.py PACKAGES [--check]

`k8s-pb` (its generated source) gives messages, numbers and types; the official Python client gives the names as JSON
spells them, which the first has lost. Both are joined without looking at case and underscores. Every name is found, or
stands in `BY_HAND` or `INLINED` below with its reason; anything else fails. Leaves out what is not reachable from an
object that the client knows: the reader then reads the metadata alone.
"""

import ast
import hashlib
import pathlib
import re
import sys
import tarfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = ROOT / "proxy/catalog/kubernetes"

# The API group of a package. `k8s-pb` names packages by their folder in the source of Kubernetes.
GROUPS = {
    "core": "", "admissionregistration": "admissionregistration.k8s.io", "apiserverinternal": "internal.apiserver.k8s.io",
    "authentication": "authentication.k8s.io", "authorization": "authorization.k8s.io",
    "certificates": "certificates.k8s.io", "coordination": "coordination.k8s.io", "discovery": "discovery.k8s.io",
    "events": "events.k8s.io", "flowcontrol": "flowcontrol.apiserver.k8s.io", "networking": "networking.k8s.io",
    "node": "node.k8s.io", "rbac": "rbac.authorization.k8s.io", "resource": "resource.k8s.io",
    "scheduling": "scheduling.k8s.io", "storage": "storage.k8s.io", "storagemigration": "storagemigration.k8s.io",
    "apiextensions": "apiextensions.k8s.io", "apiregistration": "apiregistration.k8s.io",
    "apps": "apps", "autoscaling": "autoscaling", "batch": "batch", "policy": "policy", "extensions": "extensions",
}

# Messages that JSON writes as something other than an object of their fields.
FORMS = {
    "resource.Quantity": "quantity", "meta.v1.Time": "time", "meta.v1.MicroTime": "microtime",
    "intstr.IntOrString": "int-or-string", "runtime.RawExtension": "json", "meta.v1.FieldsV1": "json",
    "apiextensions.v1.Json": "json", "apiextensions.v1.JsonSchemaPropsOrArray": "schema-or-list",
    "apiextensions.v1.JsonSchemaPropsOrBool": "schema-or-bool",
    "apiextensions.v1.JsonSchemaPropsOrStringArray": "schema-or-texts",
}

# Names that the client does not have.
BY_HAND = {
    # Served by 1.35 and gone from the client of 1.36; its members are spelled as the type's `json` tags have them.
    ("core.v1.PodSpec", "workload_ref"): "workloadRef",
    ("core.v1.WorkloadReference", "name"): "name",
    ("core.v1.WorkloadReference", "pod_group"): "podGroup",
    ("core.v1.WorkloadReference", "pod_group_replica_key"): "podGroupReplicaKey",
}

# Fields whose members JSON writes among those of the message itself: Go embeds the type (`json:",inline"`).
INLINED = {
    ("admissionregistration.v1.RuleWithOperations", "rule"),
    ("admissionregistration.v1.NamedRuleWithOperations", "rule_with_operations"),
    ("admissionregistration.v1alpha1.NamedRuleWithOperations", "rule_with_operations"),
    ("admissionregistration.v1beta1.NamedRuleWithOperations", "rule_with_operations"),
    ("core.v1.ConfigMapEnvSource", "local_object_reference"),
    ("core.v1.ConfigMapKeySelector", "local_object_reference"),
    ("core.v1.ConfigMapProjection", "local_object_reference"),
    ("core.v1.EphemeralContainer", "ephemeral_container_common"),
    ("core.v1.PersistentVolumeSpec", "persistent_volume_source"),
    ("core.v1.ConfigMapVolumeSource", "local_object_reference"),
    ("core.v1.Probe", "handler"),
    ("core.v1.SecretEnvSource", "local_object_reference"),
    ("core.v1.SecretKeySelector", "local_object_reference"),
    ("core.v1.SecretProjection", "local_object_reference"),
    ("core.v1.Volume", "volume_source"),
    ("networking.v1.IngressRule", "ingress_rule_value"),
} | {
    (f"resource.{version}.{message}", "device_configuration")
    for version in ("v1", "v1beta1", "v1beta2")
    for message in ("DeviceAllocationConfiguration", "DeviceClaimConfiguration", "DeviceClassConfiguration")
}

# Numbers and truth values that Go keeps without a pointer and JSON leaves out where they are zero: its encoder writes
# them always, and they say nothing then. All others are kept as they are, `0` and `false` too.
ZERO_IS_ABSENT = {
    # `json:"generation,omitempty"`, `int64`: the server counts it.
    ("meta.v1.ObjectMeta", "generation"),
    # `json:"nodePort,omitempty"`, `int32`: the server chooses a port where one is needed.
    ("core.v1.ServicePort", "node_port"),
    # `json:"hostPort,omitempty"`, `int32`.
    ("core.v1.ContainerPort", "host_port"),
}


def fail(text):
    sys.exit(f"kubernetes.py: {text}")


def pinned(packages, name):
    for package in tomllib.loads((CATALOGUE / "SOURCE.toml").read_text())["package"]:
        if package["name"] == name:
            path = packages / package["file"]
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != package["sha256"]:
                fail(f"`{path.name}` has the hash {found}, not the pinned one; fetch it again")
            return path
    fail(f"`{name}` is not pinned; add it to SOURCE.toml")


def short(package):
    """`api::core::v1` to `core.v1`; of the machinery, what tells its packages apart."""
    parts = [part for part in package if part not in ("api", "apimachinery", "pkg", "apis", "util", "kube_aggregator",
                                                      "apiextensions_apiserver", "metrics")]
    if package[:3] == ["apimachinery", "pkg", "api"]:
        parts = ["resource"]
    return ".".join(parts)


HEAD = re.compile(r"pub struct (\w+) \{([^{}]*)\}")
FIELD = re.compile(r"#\[prost\((.*?)\)\]\s*pub (r#)?(\w+):\s*(.*?),\n(?=\s*(?:#|\Z))", re.S)


def messages(path):
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            if parts[1:2] != ["src"] or parts[-1] != "mod.rs":
                continue
            package = parts[2:-1]
            text = archive.extractfile(member).read().decode()
            text = re.sub(r"^\s*///.*\n", "", text, flags=re.M)
            for name, body in HEAD.findall(text):
                fields = []
                for options, _, field, kind in FIELD.findall(body + "\n"):
                    number = int(re.search(r'tag\s*=\s*"(\d+)"', options).group(1))
                    fields.append((number, field, options, " ".join(kind.split())))
                if body.count("#[prost(") != len(fields):
                    fail(f"not all fields of {name} are understood")
                found[short(package) + "." + name] = (package, fields)
    return found


def target(package, kind):
    """The message that a Rust path names, from where it stands."""
    inner = re.findall(r"((?:super::)*(?:\w+::)*\w+),?>*$", re.sub(r"\s", "", kind))[0].split("::")
    at = list(package)
    while inner[0] == "super":
        at.pop()
        inner.pop(0)
    return short(at + inner[:-1]) + "." + inner[-1]


SCALARS = {"string", "bool", "int32", "int64", "double", "bytes"}


def type_of(package, options, kind):
    words = [word.strip() for word in re.sub(r'"[^"]*"', lambda m: m.group(0).replace(",", ";"), options).split(",")]
    first = words[0]
    if first.startswith("btree_map"):
        key, value = re.search(r'"(.*)"', first).group(1).split(";")
        if key.strip() != "string":
            fail(f"a map with keys of {key}")
        value = value.strip()
        return "map", target(package, kind) if value == "message" else value
    base = first.split(" ")[0].split("=")[0].strip()
    if base == "message":
        base = target(package, kind)
    elif base not in SCALARS:
        fail(f"a field is a {base}")
    if "repeated" in words:
        return "list", base
    if "optional" not in words:
        fail(f"a field is neither optional nor repeated: {options}")
    return "one", base


def attributes(path):
    """Of each model of the Python client: its members' names as JSON has them."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not re.fullmatch(r"kubernetes/client/models/\w+\.py", name) or name.endswith("__init__.py"):
                continue
            text = archive.read(name).decode()
            model = re.search(r"^class (\w+)\(", text, re.M).group(1)
            table = ast.literal_eval(re.search(r"attribute_map = (\{.*?\})", text, re.S).group(1))
            found[model] = list(table.values())
    return found


def folded(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def model_of(models, name):
    parts = name.split(".")
    group, version, kind = (parts + [""])[:3] if len(parts) == 3 else ("", "v1", parts[-1])
    version = version[:1].upper() + version[1:]
    by_fold = {folded(model): model for model in models}
    for candidate in (group + version + kind, version + kind):
        if folded(candidate) in by_fold:
            return by_fold[folded(candidate)]
    return None


class Table:
    def __init__(self, found, models):
        self.found, self.models, self.lines, self.errors = found, models, {}, []
        self.used = set()

    def strings(self, name):
        """A message that stands for a list of texts."""
        fields = self.found[name][1]
        return len(fields) == 1 and fields[0][1] == "items" and type_of(self.found[name][0], *fields[0][2:]) == (
            "list", "string")

    def written(self, base):
        if base in SCALARS:
            return base
        if base in FORMS:
            return FORMS[base]
        if base not in self.found:
            fail(f"there is no message {base}")
        return "texts" if self.strings(base) else base

    def add(self, name, kind=None, names=None):
        if name in self.lines:
            return
        package, fields = self.found[name]
        model = model_of(self.models, name)
        known = list(names or [])
        if model:
            known += self.models[model]
        if not known and not fields:
            self.lines[name] = []
            return
        by_fold = {folded(json): json for json in known}
        self.lines[name] = lines = []
        for number, field, options, rust in sorted(fields):
            shape, base = type_of(package, options, rust)
            key = (name, field)
            form = self.written(base)
            if key in INLINED:
                self.used.add(key)
                self.add(base, names=known)
                lines.append((number, "-", form))
                continue
            if key in BY_HAND:
                self.used.add(key)
                json = BY_HAND[key]
            elif folded(field) in by_fold:
                json = by_fold[folded(field)]
            else:
                self.errors.append(f"{name}.{field} ({base}) has no name in {model}")
                continue
            if form in self.found:
                self.add(form)
            if form.startswith("schema"):
                self.add("apiextensions.v1.JsonSchemaProps")
            if (name, field) in ZERO_IS_ABSENT:
                self.used.add((name, field))
                form += "?"
            lines.append((number, json, {"one": "", "list": "[]", "map": "{}"}[shape] + form))


def text(packages):
    found = messages(pinned(packages, "k8s-pb"))
    models = attributes(pinned(packages, "kubernetes"))
    table, kinds = Table(found, models), {}
    for name, (package, fields) in sorted(found.items()):
        group, *rest = name.split(".")
        if name == "meta.v1.DeleteOptions":
            kinds[name] = "* DeleteOptions"
            table.add(name)
            continue
        if group not in GROUPS or len(rest) != 2 or name.endswith("List"):
            continue
        model = model_of(models, name)
        has_metadata = any(field == "metadata" and type_of(package, options, kind)[1] == "meta.v1.ObjectMeta"
                           for _, field, options, kind in fields)
        if not model or not has_metadata or not {"apiVersion", "kind"} <= set(models[model]):
            continue
        version = "/".join(part for part in (GROUPS[group], rest[0]) if part)
        # The client has the kind as it is spelled; of the source's name the case of letters is lost.
        kinds[name] = f"{version} {model[-len(rest[1]):]}"
        table.add(name)
    if table.errors:
        fail("names that are not known:\n" + "\n".join(table.errors))
    if unused := (INLINED | set(BY_HAND) | ZERO_IS_ABSENT) - table.used:
        fail(f"listed by hand and never met: {sorted(unused)}")
    lines = ["# Generated by proxy/decode/harvest/kubernetes.py. A message, `=` and the version and kind it is the object",
             "# of (`*`: any version); then its fields: number, name in JSON (`-`: its members stand among the",
             "# message's own), type (`[]` before it: repeated; `{}`: a map with texts as keys; `?` after it: zero says",
             "# nothing)."]
    for name, fields in sorted(table.lines.items()):
        lines.append("")
        lines.append(f"{name} = {kinds[name]}" if name in kinds else name)
        lines += [f"{number} {json} {form}" for number, json, form in fields]
    return "\n".join(lines) + "\n"


def main():
    packages = pathlib.Path(sys.argv[1])
    path, made = CATALOGUE / "messages.txt", text(packages)
    if "--check" in sys.argv[2:]:
        if path.read_text() != made:
            fail("proxy/catalog/kubernetes/messages.txt differs from what its sources give, regenerate it")
        print("the table of Kubernetes messages is what its sources give")
    elif not path.exists() or path.read_text() != made:
        path.write_text(made)


if __name__ == "__main__":
    main()
