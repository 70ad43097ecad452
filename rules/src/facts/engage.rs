//! What is set to work, written to or emptied by being hooked up to something else.
//!
//! Leaves out what is copied whole (`copy.rs`), and what a change names without any role: that is judged as changed.

/// Services with resources that act for whoever is hooked up to them, or whose data goes wherever they are hooked up,
/// each with what the names of those resources begin with.
///
/// A queue that a function reads is emptied, a function that a schedule calls runs, a group of targets that a machine
/// joins sends it what is meant for others, a template launches under the profile that it names: none of it changes the resource, and all of it is for its owner to say.
const ENGAGED: [(&str, &str); 36] = [
    ("aoss", ""),
    ("appsync", ""),
    ("autoscaling", "autoScalingGroup"),
    ("autoscaling", "launchConfiguration"),
    ("batch", "job-"),
    ("cassandra", ""),
    ("codebuild", "project"),
    ("codepipeline", ""),
    ("datasync", "location"),
    ("dms", "endpoint"),
    ("dynamodb", "table"),
    ("dynamodb", "stream"),
    ("ec2", "launch-template"),
    ("ecs", "task-definition"),
    ("elasticfilesystem", ""),
    ("elasticloadbalancing", "targetgroup"),
    ("es", "domain"),
    ("events", ""),
    ("execute-api", ""),
    ("firehose", ""),
    ("glue", ""),
    ("kafka", ""),
    ("kinesis", "stream"),
    ("lambda", "function"),
    ("logs", ""),
    ("mq", ""),
    ("pipes", ""),
    ("redshift", "cluster"),
    ("redshift", "namespace"),
    ("scheduler", ""),
    ("secretsmanager", ""),
    ("sns", ""),
    ("sqs", ""),
    ("ssm", "parameter"),
    ("states", ""),
    ("timestream", ""),
];

/// Whether a resource is engaged by being used, by its name, or by its type where it has no whole name.
pub(crate) fn is_engaged(name: &str, kind: &str) -> bool {
    let mut parts = name.splitn(6, ':');
    let whole = parts.next() == Some("arn");
    let (service, own) = if whole {
        (parts.nth(1).unwrap_or_default(), parts.nth(2).unwrap_or_default())
    } else {
        kind.split_once(':').unwrap_or_default()
    };
    ENGAGED.iter().any(|(engaged, start)| *engaged == service && own.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::is_engaged;

    #[test]
    fn what_acts_or_carries_is_engaged_by_name_and_by_type() {
        let engaged = |name: &str| is_engaged(name, "x:y");
        assert!(engaged("arn:aws:lambda:eu-west-1:111122223333:function:f"));
        assert!(engaged("arn:aws:sqs:eu-west-1:111122223333:q"));
        assert!(engaged("arn:aws:redshift:eu-west-1:111122223333:cluster:c"));
        assert!(!engaged("arn:aws:rds:eu-west-1:111122223333:db:d"));
        assert!(!engaged("arn:aws:lambda:eu-west-1:111122223333:layer:l:1"));
        assert!(!engaged("arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a"));
        assert!(is_engaged("q", "sqs:queue"));
        assert!(!is_engaged("subnet-0a", "ec2:subnet"));
    }
}
