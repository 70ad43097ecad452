"""pyvmomi, and what it makes of the answers, one line a call.

    client.py HOST:PORT PASSWORD session FILE     # signs in, and keeps the session in a file as a cookie
    client.py HOST:PORT TOKEN tour                # a day's work: looks, makes, changes, moves, destroys
    client.py HOST:PORT TOKEN changes             # one change of each kind
    client.py HOST:PORT TOKEN power NAME          # whether a machine is on
    client.py HOST:PORT TOKEN signed-in           # the same day's work, by a user, with the token as the password
    client.py HOST:PORT TOKEN login               # what becomes of a user and a password
    client.py HOST:PORT TOKEN spoiled             # requests that no client of its own would send
    client.py HOST:PORT TOKEN rest                # the older of the REST APIs
    client.py HOST:PORT PASSWORD sessions         # signs in, and counts the sessions of others
    client.py HOST:PORT PASSWORD terminate        # signs in, and ends those

All is sent as the client sends it, with the token where it has its session. Leaves out what the sweep has.
"""

import json
import sys
import urllib.error
import urllib.request

from pyVim import connect
from pyVmomi import SoapAdapter, vim, vmodl

address, token, what, *more = sys.argv[1:]
host, port = address.rsplit(":", 1)


def service(session):
    """The service, by the client's own way in: it asks for the versions first."""
    return connect.SmartConnect(
        protocol="http", host=host, port=int(port), sessionId=session,
        customHeaders={"Cookie": f'vmware_soap_session="{session}"'},
    )


def signed_in(password):
    """The service as everybody asks for it, and nothing beside a name and a password."""
    return connect.SmartConnect(protocol="http", host=host, port=int(port), user="Administrator", pwd=password)


def tell(name, call):
    try:
        value = call()
    except (vmodl.MethodFault, vim.fault.VimFault) as error:
        value = f"{type(error).__name__}: {error.msg}"
    except urllib.error.HTTPError as error:
        value = f"{error.code}: {error.read().decode()}"
    print(f"{name}: {value}", flush=True)


def done(task):
    """Waits for a task as clients do, by a filter and updates."""
    collector = task._stub and si.content.propertyCollector
    spec = vim.PropertyCollector.FilterSpec(
        objectSet=[vim.PropertyCollector.ObjectSpec(obj=task)],
        propSet=[vim.PropertyCollector.PropertySpec(type=vim.Task, pathSet=["info.state"], all=False)],
    )
    own = collector.CreateFilter(spec, True)
    version = ""
    try:
        while task.info.state not in ("success", "error"):
            version = collector.WaitForUpdatesEx(version).version
    finally:
        own.DestroyPropertyFilter()
    if task.info.error:
        raise task.info.error
    return task.info.state


def machines():
    """All machines by their names, by a view."""
    view = si.content.viewManager.CreateContainerView(si.content.rootFolder, [vim.VirtualMachine], True)
    try:
        return {machine.name: machine for machine in view.view}
    finally:
        view.DestroyView()


def tour():
    tell("about", lambda: si.content.about.apiType)
    tell("machines", lambda: sorted(machines()))
    first = machines()["DC0_H0_VM0"]
    tell("off", lambda: done(first.PowerOffVM_Task()))
    tell("state", lambda: first.runtime.powerState)
    tell("reconfigure", lambda: done(first.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=2, annotation="a <b> & c"))))
    tell("cpus", lambda: first.config.hardware.numCPU)
    tell("on", lambda: done(first.PowerOnVM_Task()))
    tell("clone", lambda: done(first.CloneVM_Task(first.parent, "copy", vim.vm.CloneSpec(
        location=vim.vm.RelocateSpec(pool=first.resourcePool), powerOn=False, template=False))))
    tell("folder", lambda: first.parent.CreateFolder("made").name)
    tell("destroy", lambda: done(machines()["copy"].Destroy_Task()))
    tell("machines", lambda: sorted(machines()))


def changes():
    first = machines()["DC0_H0_VM0"]
    tell("off", lambda: first.PowerOffVM_Task())
    tell("destroy", lambda: first.Destroy_Task())
    tell("reconfigure", lambda: first.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=2)))
    tell("folder", lambda: first.parent.CreateFolder("made"))
    tell("role", lambda: si.content.authorizationManager.AddAuthorizationRole("ops", ["System.Read"]))
    tell("program", lambda: si.content.guestOperationsManager.processManager.StartProgramInGuest(
        first, vim.vm.guest.NamePasswordAuthentication(username="root", password="x", interactiveSession=False),
        vim.vm.guest.ProcessManager.ProgramSpec(programPath="/bin/sh", arguments="")))
    tell("logout", lambda: si.content.sessionManager.Logout())


def spoiled():
    """Each is what it was but for one thing."""
    method = '<PowerOffVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">{}</_this></PowerOffVM_Task>'
    method = method.format(machines()["DC0_H0_VM0"]._moId)
    envelope = '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>{}</Body></Envelope>'
    for name, body in {
        "two methods": envelope.format('<CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime>' + method),
        "a document type": "<!DOCTYPE a>" + envelope.format(method),
        "another namespace": envelope.format(method.replace("urn:vim25", "urn:vsan")),
        "a comment": envelope.format(method.replace("vm-", "vm-<!-- -->")),
    }.items():
        request = urllib.request.Request(f"http://{address}/sdk", body.encode(), {
            "content-type": "text/xml; charset=utf-8", "soapaction": '"urn:vim25/6.5"',
            "cookie": f'vmware_soap_session="{token}"'})
        tell(name, lambda: urllib.request.urlopen(request).read())


def rest():
    def ask(method, path, body=None):
        request = urllib.request.Request(f"http://{address}/rest{path}", method=method, headers={
            "vmware-api-session-id": token, "content-type": "application/json"})
        request.data = json.dumps(body).encode() if body is not None else None
        answer = urllib.request.urlopen(request).read().decode()
        return json.loads(answer) if answer else "nothing"

    tell("whose", lambda: ask("GET", "/com/vmware/cis/session")["value"]["user"])
    spec = {"create_spec": {"name": "team", "description": "", "cardinality": "SINGLE", "associable_types": []}}
    category = []
    tell("category", lambda: category.append(ask("POST", "/com/vmware/cis/tagging/category", spec)["value"]) or "made")
    tell("categories", lambda: len(ask("GET", "/com/vmware/cis/tagging/category")["value"]))
    if category:
        tell("gone", lambda: ask("DELETE", f"/com/vmware/cis/tagging/category/id:{category[0]}"))
    tell("session", lambda: ask("POST", "/com/vmware/cis/session"))
    tell("end", lambda: ask("DELETE", "/com/vmware/cis/session"))


def rest_session():
    """A session of the newer API, which is asked for with the password in the head, and ended."""
    import base64
    basic = "Basic " + base64.b64encode(f"Administrator:{token}".encode()).decode()
    ask = urllib.request.Request(f"http://{address}/rest/com/vmware/cis/session", b"", {"authorization": basic})
    own = {"vmware-api-session-id": json.loads(urllib.request.urlopen(ask).read())["value"]}
    end = urllib.request.Request(f"http://{address}/rest/com/vmware/cis/session", headers=own, method="DELETE")
    return urllib.request.urlopen(end).status


def login():
    def sign_in():
        return connect.SmartConnect(protocol="http", host=host, port=int(port), user="user", pwd="pass", customHeaders={
            "Authorization": f"Bearer {token}"})

    tell("login", sign_in)


def others(manager):
    own = manager.currentSession.key
    return [session.key for session in manager.sessionList if session.key != own]


if what in ("sessions", "terminate"):
    manager = connect.SmartConnect(
        protocol="http", host=host, port=int(port), user="user", pwd=token).content.sessionManager
    if what == "terminate":
        manager.TerminateSession(others(manager))
    print(len(others(manager)))
    manager.Logout()
elif what == "session":
    found = connect.SmartConnect(protocol="http", host=host, port=int(port), user="user", pwd=token)
    cookie = found._stub.cookie.split(";")[0]
    open(more[0], "w").write(cookie)
    request = urllib.request.Request(f"http://{address}/rest/com/vmware/cis/session", b"", method="POST")
    import base64
    request.add_header("authorization", "Basic " + base64.b64encode(f"user:{token}".encode()).decode())
    open(more[0] + "-rest", "w").write(json.loads(urllib.request.urlopen(request).read())["value"])
elif what == "rest":
    rest()
elif what == "login":
    login()
elif what == "signed-in":
    si = signed_in(token)
    tour()
    tell("wrong", lambda: signed_in("a-password-of-nobodys"))
    connect.Disconnect(si)
    tell("out", lambda: si.content.rootFolder.name)
    tell("rest", rest_session)
else:
    si = service(token)
    if what == "power":
        print(machines()[more[0]].runtime.powerState)
    else:
        {"tour": tour, "changes": changes, "spoiled": spoiled}[what]()
