//! What gates read of objects that are sent to a cluster.

use super::ruling;

/// The codes of refusals of a change by the cluster's owner.
#[track_caller]
fn check(operation: &str, target: &str, lines: &str, expected: &str) {
    let text = format!("person petra\neffect {operation}\ntarget {target}\n{lines}");
    let ruling = ruling(&text);
    let codes = ruling.split_once(' ').map_or("", |(_, codes)| codes);
    assert_eq!(codes, expected, "{operation}\n{lines}");
}

#[track_caller]
fn check_agent(operation: &str, target: &str, lines: &str, expected: &str) {
    let text = format!("agent cleaner\neffect {operation}\ntarget {target}\n{lines}");
    let ruling = ruling(&text);
    assert_eq!(ruling.split_once(' ').map_or("", |(_, codes)| codes), expected, "{operation}\n{lines}");
}

const POD: &str = "core:pods k8s://prod/core/namespaces/tools/pods/a";
const DEPLOYMENT: &str = "apps:deployments k8s://prod/apps/namespaces/tools/deployments/a";

#[test]
fn a_pod_does_not_take_the_machine_it_runs_on() {
    const GATE: &str = "privileged_pod";
    let pod = |line: &str, expected: &str| check("core:create/pods create", POD, line, expected);
    pod("spec.containers.1.image = a", "");
    pod("spec.containers.1.securityContext.privileged := true", GATE);
    pod("spec.containers.1.securityContext.privileged := false", "");
    pod("spec.initContainers.2.securityContext.privileged = true", GATE);
    pod("spec.hostPID := true", GATE);
    pod("spec.hostIPC := true", GATE);
    pod("spec.hostIPC := false", "");
    pod("spec.containers.1.securityContext.capabilities.add.1 = CAP_SYS_ADMIN", GATE);
    pod("spec.containers.1.securityContext.capabilities.add.1 = all", GATE);
    pod("spec.containers.1.securityContext.capabilities.add.1 = NET_BIND_SERVICE", "");
    pod("spec.containers.1.securityContext.capabilities.drop.1 = ALL", "");
    pod("spec.containers.1.securityContext.procMount = Unmasked", GATE);
    pod("spec.securityContext.windowsOptions.hostProcess := true", GATE);
    // What is said of it is not what it is.
    pod("metadata.annotations.hostPID := true", "");
    check(
        "core:patch/pods/ephemeralcontainers update",
        POD,
        "spec.ephemeralContainers.1.securityContext.privileged := true",
        GATE,
    );
    check("apps:update/deployments update", DEPLOYMENT, "spec.template.spec.hostPID := true", GATE);
    check("apps:update/deployments/status update", DEPLOYMENT, "spec.template.spec.hostPID := true", "");
    check(
        "argoproj.io:create/rollouts create",
        "argoproj.io:rollouts k8s://prod/argoproj.io/namespaces/tools/rollouts/a",
        "spec.template.spec.containers.1.securityContext.privileged := true",
        GATE,
    );
    check(
        "core:create/configmaps create",
        "core:configmaps k8s://prod/core/namespaces/tools/configmaps/a",
        "data.hostPID := true",
        "",
    );
}

#[test]
fn operations_on_an_object_are_read_as_the_object_is() {
    let patch =
        |lines: &str, expected: &str| check("apps:patch/deployments update", DEPLOYMENT, lines, expected);
    let path = "1.path = /spec/template/spec/containers/0/securityContext";
    patch(&format!("1.op = add\n{path}\n1.value.privileged := true"), "privileged_pod");
    patch(&format!("1.op = replace\n{path}/privileged\n1.value := true"), "privileged_pod");
    patch(&format!("1.op = remove\n{path}/privileged"), "");
    patch(&format!("1.op = test\n{path}/privileged\n1.value := true"), "");
    patch(
        &format!("1.op = copy\n1.from = /spec/template/metadata\n{path}"),
        "claimed unreadable_parameters".trim_start_matches("claimed "),
    );
}

#[test]
fn a_pod_does_not_take_the_files_of_its_machine() {
    let volume = |path: &str, expected: &str| {
        check("core:create/pods create", POD, &format!("spec.volumes.1.hostPath.path = {path}"), expected);
    };
    for path in [
        "/",
        "/etc/kubernetes",
        "/var/run/docker.sock",
        "/run/containerd/containerd.sock",
        "/srv/docker.sock",
    ] {
        volume(path, "host_path");
    }
    volume("/data/models", "");
    check(
        "core:create/persistentvolumes create",
        "core:persistentvolumes k8s://prod/core/persistentvolumes/a",
        "spec.hostPath.path = /",
        "host_path",
    );
}

#[test]
fn what_opens_the_cluster_to_the_internet_is_refused() {
    const SERVICE: &str = "core:services k8s://prod/core/namespaces/tools/services/a";
    let service =
        |lines: &str, expected: &str| check("core:create/services create", SERVICE, lines, expected);
    service("spec.type = ClusterIP", "");
    service("spec.type = LoadBalancer", "public_load_balancer");
    let annotated = |key: &str, value: &str| {
        format!("spec.type = LoadBalancer\nmetadata.annotations.{} = {value}", key.replace('.', "\\."))
    };
    service(&annotated("service.beta.kubernetes.io/aws-load-balancer-internal", "true"), "");
    service(&annotated("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"), "");
    service(
        &annotated("service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing"),
        "public_load_balancer",
    );
    service(&annotated("networking.gke.io/load-balancer-type", "Internal"), "");
    service(
        &annotated("service.beta.kubernetes.io/azure-load-balancer-internal", "false"),
        "public_load_balancer",
    );
    service("spec.type = LoadBalancer\nspec.loadBalancerSourceRanges.1 = 10.0.0.0/8", "");
    service("spec.type = LoadBalancer\nspec.loadBalancerSourceRanges.1 = 0.0.0.0/0", "public_load_balancer");
    service("spec.externalIPs.1 = 192.0.2.1", "external_address");
    let patch = |lines: &str, expected: &str| check("core:patch/services update", SERVICE, lines, expected);
    patch("metadata.annotations.networking\\.gke\\.io/load-balancer-type := null", "public_load_balancer");
    patch("1.op = remove\n1.path = /spec/loadBalancerSourceRanges", "public_load_balancer");
    patch("metadata.annotations.other := null", "");
}

#[test]
fn what_an_agent_would_open_is_refused_however_it_opens_it() {
    const IN: &str = "k8s://prod/core/namespaces/shop";
    let service = format!("core:services {IN}/services/a\nparent core:namespaces {IN}");
    check_agent("core:create/services create", &service, "spec.type = ClusterIP", "");
    check_agent("core:create/services create", &service, "spec.type = NodePort", "agent_exposes");
    let pod = format!("core:pods {IN}/pods/a\nparent core:namespaces {IN}");
    check_agent("core:create/pods create", &pod, "spec.containers.1.ports.1.hostPort := 80", "agent_exposes");
    check_agent("core:create/pods create", &pod, "spec.containers.1.ports.1.hostPort := 0", "");
    check_agent("core:create/pods create", &pod, "spec.hostNetwork := true", "agent_exposes");
    let of = |resource: &str| {
        format!(
            "networking.k8s.io:{resource} k8s://prod/networking.k8s.io/namespaces/shop/{resource}/a\nparent core:namespaces {IN}"
        )
    };
    check_agent(
        "networking.k8s.io:create/ingresses create",
        &of("ingresses"),
        "spec.rules.1.host = a",
        "agent_exposes",
    );
    let policies = of("networkpolicies");
    let policy = |lines: &str, expected: &str| {
        check_agent("networking.k8s.io:create/networkpolicies create", &policies, lines, expected)
    };
    policy("spec.ingress.1.from.1.ipBlock.cidr = 10.0.0.0/8", "");
    policy("spec.ingress.1.from.1.ipBlock.cidr = 0.0.0.0/0", "agent_exposes");
    policy("spec.ingress.1 := {}", "agent_exposes");
    policy("spec.ingress.1.ports.1.port := 443", "agent_exposes");
    policy("spec.ingress := {}", "");
    policy("spec.egress.1.to.1.ipBlock.cidr = 0.0.0.0/0", "");
    let known = "apps:deployments k8s://prod/apps/namespaces/shop/deployments/web";
    check_agent("networking.k8s.io:delete/networkpolicies update", known, "", "agent_exposes");
}

const ROLE: &str = "rbac.authorization.k8s.io:clusterroles k8s://prod/rbac.authorization.k8s.io/clusterroles/a\nparent kubernetes:cluster k8s://prod scope";

#[test]
fn a_role_does_not_hand_out_everything() {
    let role = |lines: &str, expected: &str| {
        check("rbac.authorization.k8s.io:create/clusterroles grant", ROLE, lines, expected)
    };
    role("rules.1.verbs.1 = get\nrules.1.resources.1 = *", "");
    role("rules.1.verbs.1 = *\nrules.1.resources.1 = pods", "");
    role("rules.1.verbs.1 = *\nrules.1.resources.1 = *", "admin_grant escalation_grant");
    role(
        "rules.1.verbs.1 = get\nrules.1.resources.1 = *\nrules.2.verbs.1 = *\nrules.2.resources.1 = pods",
        "",
    );
    role("rules.1.verbs.1 = *\nrules.1.nonResourceURLs.1 = *", "");
    for verb in ["escalate", "bind", "impersonate"] {
        role(&format!("rules.1.verbs.1 = {verb}\nrules.1.resources.1 = users"), "escalation_grant");
        role(
            &format!("rules.1.verbs.1 = {verb}\nrules.1.resources.1 = users\nrules.1.resourceNames.1 = ci"),
            "",
        );
    }
    role(
        "rules.1.verbs.1 = bind\nrules.1.resources.1 = clusterroles\nrules.1.resourceNames.1 = cluster-admin",
        "escalation_grant",
    );
    role("rules.1.verbs.1 = *\nrules.1.resources.1 = rolebindings", "escalation_grant");
    role("rules.1.verbs.1 = create\nrules.1.resources.1 = serviceaccounts/token", "escalation_grant");
}

#[test]
fn what_is_added_to_a_rule_is_added_to_what_it_says_already() {
    let name = ROLE.lines().next().unwrap();
    let patch = |lines: &str, expected: &str| {
        check("rbac.authorization.k8s.io:patch/clusterroles grant", name, lines, expected)
    };
    patch("1.op = add\n1.path = /rules/0/verbs/-\n1.value = *", "admin_grant escalation_grant");
    patch("1.op = add\n1.path = /rules/-\n1.value.verbs.1 = get\n1.value.resources.1 = pods", "");
    patch("rules.1.verbs.1 = get\nrules.1.resources.1 = pods", "");
}

#[test]
fn a_binding_does_not_let_everybody_in() {
    let binding = "rbac.authorization.k8s.io:clusterrolebindings k8s://prod/rbac.authorization.k8s.io/clusterrolebindings/a\nparent kubernetes:cluster k8s://prod scope";
    let bind = |lines: &str, expected: &str| {
        check("rbac.authorization.k8s.io:create/clusterrolebindings grant", binding, lines, expected)
    };
    bind("roleRef.name = view\nsubjects.1.kind = Group\nsubjects.1.name = web", "");
    bind("roleRef.name = cluster-admin\nsubjects.1.kind = User\nsubjects.1.name = alice", "admin_grant");
    for group in
        ["system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"]
    {
        bind(
            &format!("roleRef.name = view\nsubjects.1.kind = Group\nsubjects.1.name = {group}"),
            "open_trust",
        );
    }
    bind("roleRef.name = view\nsubjects.1.kind = Group\nsubjects.1.name = system:serviceaccounts:shop", "");
    bind("roleRef.name = view\nsubjects.1.kind = ServiceAccount\nsubjects.1.name = system:authenticated", "");
}

#[test]
fn what_cannot_be_read_whole_is_refused_where_it_matters() {
    check("core:create/pods create", POD, "opaque", "unreadable_parameters");
    check("apps:patch/deployments update", DEPLOYMENT, "partial", "unreadable_parameters");
    check("apps:patch/deployments/scale update", DEPLOYMENT, "partial", "");
    check(
        "core:create/configmaps create",
        "core:configmaps k8s://prod/core/namespaces/tools/configmaps/a",
        "opaque",
        "",
    );
}

#[test]
fn the_bounds_of_a_namespaces_pods_are_kept() {
    let name = "core:namespaces k8s://prod/core/namespaces/tools";
    let label = "metadata.labels.pod-security\\.kubernetes\\.io/enforce";
    let patch = |line: &str, expected: &str| check("core:patch/namespaces update", name, line, expected);
    patch(&format!("{label} = restricted"), "");
    patch(&format!("{label} = privileged"), "pod_security_off");
    patch(&format!("{label} := null"), "pod_security_off");
    patch("metadata.labels := null", "pod_security_off");
    patch("metadata.labels.a = b", "");
}

#[test]
fn agents_do_not_take_away_what_checks_changes() {
    let agent = |operation: &str| {
        let text = format!(
            "agent cleaner\neffect {operation}\ntarget a:b k8s://prod/apps/namespaces/shop/deployments/web"
        );
        ruling(&text)
    };
    const SILENCES: &str = "deny agent_silences_audit";
    assert_eq!(agent("admissionregistration.k8s.io:patch/validatingwebhookconfigurations update"), SILENCES);
    assert_eq!(
        agent("admissionregistration.k8s.io:deletecollection/mutatingwebhookconfigurations tag"),
        SILENCES
    );
    assert_eq!(agent("auditregistration.k8s.io:update/auditsinks update"), SILENCES);
    assert_eq!(agent("apps:patch/deployments update"), "admit");
}

#[test]
fn a_connection_to_a_pod_changes_no_object_whose_parameters_would_have_to_be_known() {
    let partial = "partial";
    check("core:create/pods/exec execute", POD, partial, "");
    check("core:create/pods/portforward execute", POD, partial, "");
    check("core:patch/pods/ephemeralcontainers update", POD, partial, "unreadable_parameters");
}
