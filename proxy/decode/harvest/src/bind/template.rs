//! ARN templates of the vendor's documents, in the catalogue's form.
//!
//! Leaves out their values.

/// A template and its own variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The text, with `{partition}`, `{region}`, `{account}` and the variables.
    pub(crate) text: String,
    /// The variables in order, without those three.
    pub(crate) variables: Vec<String>,
}

impl Template {
    /// Reads `arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}`.
    pub(crate) fn parse(arn: &str) -> Self {
        let mut text = String::new();
        let mut variables = Vec::new();
        let mut rest = arn;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, behind)) = after.split_once('}') else { break };
            match name {
                "Partition" => text.push_str("{partition}"),
                "Region" => text.push_str("{region}"),
                "Account" => text.push_str("{account}"),
                name => {
                    text.push_str(&format!("{{{name}}}"));
                    variables.push(name.to_owned());
                }
            }
            rest = behind;
        }
        text.push_str(rest);
        Self { text: text.replace(' ', ""), variables }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_plane_are_not_members() {
        let template = Template::parse("arn:${Partition}:s3:::${BucketName}/${ObjectName}");
        assert_eq!(template.text, "arn:{partition}:s3:::{BucketName}/{ObjectName}");
        assert_eq!(template.variables, ["BucketName", "ObjectName"]);
    }
}
