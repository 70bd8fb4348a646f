//! What is being made right now, in a file that outlives the run.
//!
//! Whoever interrupts Terraform also cancels the requests that are on their way, and AWS may have taken them. If Terraform has
//! heard the thing's id, it marks it to be made anew, although it is there; if not, a thing exists that no state knows. Both are
//! in the way when it is made again: AWS keeps the name of a secret for weeks. So it is written down when Terraform begins to
//! make something and when that has ended. What had begun and not ended, of a run that was interrupted or killed, is kept by the
//! next one if Terraform knows it, adopted if it exists and its id follows from its name, and else named.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

/// A file of more bytes than this is none of ours.
const MAX_BYTES: u64 = 16 << 20;

/// Types that AWS refuses to make twice under one name, and the id that Terraform imports them by. Others are made again by the
/// same request (topics, queues, alarms), or have an id that nobody knows beforehand.
const IDS: [(&str, &str); 25] = [
    ("aws_backup_vault", "{name}"),
    ("aws_cloudfront_function", "{name}"),
    ("aws_cloudwatch_log_group", "{name}"),
    ("aws_codedeploy_app", "{name}"),
    ("aws_codedeploy_deployment_config", "{deployment_config_name}"),
    ("aws_codedeploy_deployment_group", "{app_name}:{deployment_group_name}"),
    ("aws_config_configuration_recorder", "{name}"),
    ("aws_config_delivery_channel", "{name}"),
    ("aws_db_event_subscription", "{name}"),
    ("aws_db_instance", "{identifier}"),
    ("aws_db_parameter_group", "{name}"),
    ("aws_db_proxy", "{name}"),
    ("aws_db_subnet_group", "{name}"),
    ("aws_ecr_repository", "{name}"),
    ("aws_ecs_cluster", "{name}"),
    ("aws_elasticache_parameter_group", "{name}"),
    ("aws_elasticache_replication_group", "{replication_group_id}"),
    ("aws_elasticache_subnet_group", "{name}"),
    ("aws_elasticache_user", "{user_id}"),
    ("aws_elasticache_user_group", "{user_group_id}"),
    ("aws_iam_role", "{name}"),
    ("aws_kms_alias", "{name}"),
    ("aws_lambda_function", "{function_name}"),
    ("aws_s3_bucket", "{bucket}"),
    ("aws_secretsmanager_secret", "{name}"),
];

/// The id that a resource of that type will have, if it follows from what is planned.
pub(crate) fn id(kind: &str, planned: &Map<String, Value>) -> Option<String> {
    let (_, template) = IDS.iter().find(|(known, _)| *known == kind)?;
    let (mut id, mut rest) = (String::new(), *template);
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        id.push_str(literal);
        id.push_str(planned.get(name)?.as_str().filter(|value| !value.is_empty())?);
        rest = after;
    }
    id.push_str(rest);
    Some(id)
}

/// Something that had begun to be made, and had not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Its address.
    pub(crate) address: String,
    /// What it is imported by, if that follows from its name.
    pub(crate) id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    ended: bool,
}

/// The file of a run that makes something.
#[derive(Debug)]
pub(crate) struct Log {
    file: fs::File,
    ids: BTreeMap<String, String>,
}

impl Log {
    /// Begins a new one with what is still left of the one before: it is adopted only when Terraform has done so.
    pub(crate) fn begin(path: &Path, ids: BTreeMap<String, String>) -> io::Result<Self> {
        let left = left(path);
        let mut log = Self { file: fs::File::create(path)?, ids };
        for Left { address, id } in left {
            log.line(&Line { address, id, ended: false });
        }
        Ok(log)
    }

    pub(crate) fn began(&mut self, address: &str) {
        self.line(&Line { address: address.to_owned(), id: self.ids.get(address).cloned(), ended: false });
    }

    pub(crate) fn ended(&mut self, address: &str) {
        self.line(&Line { address: address.to_owned(), id: None, ended: true });
    }

    /// A line that cannot be written is one that is missing: nothing is worse than without the file.
    fn line(&mut self, line: &Line) {
        if let Ok(mut text) = serde_json::to_vec(line) {
            text.push(b'\n');
            let _ = self.file.write_all(&text);
        }
    }
}

/// What is left by the last run. Lines that cannot be read are passed over: of one that was killed, the last may be half a line.
pub(crate) fn left(path: &Path) -> Vec<Left> {
    let Ok(file) = fs::File::open(path) else { return Vec::new() };
    let mut left = BTreeMap::new();
    for line in BufReader::new(file.take(MAX_BYTES)).split(b'\n').map_while(Result::ok) {
        let Ok(Line { address, id, ended }) = serde_json::from_slice(&line) else { continue };
        if ended {
            left.remove(&address);
        } else {
            left.insert(address, id);
        }
    }
    left.into_iter().map(|(address, id)| Left { address, id }).collect()
}

/// Blocks `import` in a root, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Adoption(PathBuf);

impl Adoption {
    /// Also takes away what a killed run has left there.
    pub(crate) fn within(root: &Path, wanted: &[Left]) -> io::Result<Self> {
        let adoption = Self(root.join("seiketsu_adopts.tf"));
        let mut text = String::from(
            "# Written by `seiketsu infra`, which takes it away again: it exists while a plan is made.\n",
        );
        let mut any = false;
        for (address, id) in wanted.iter().filter_map(|left| Some((&left.address, left.id.as_ref()?))) {
            let _ = write!(text, "\nimport {{\n  to = {address}\n  id = {}\n}}\n", quoted(id));
            any = true;
        }
        if any {
            fs::write(&adoption.0, text)?;
        }
        Ok(adoption)
    }
}

impl Drop for Adoption {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A text as HCL has it, without anything in it that would be evaluated.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}

/// Whether Terraform speaks of that resource. In some of its messages the quotes of a key are escaped.
pub(crate) fn mentions(said: &str, address: &str) -> bool {
    said.contains(address) || said.contains(&address.replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(json: &serde_json::Value) -> Map<String, Value> {
        json.as_object().unwrap().clone()
    }

    #[test]
    fn ids_follow_from_names_that_are_known() {
        let group = serde_json::json!({"app_name": "seiketsu", "deployment_group_name": "gateway"});
        assert_eq!(
            id("aws_codedeploy_deployment_group", &planned(&group)).as_deref(),
            Some("seiketsu:gateway")
        );
        assert_eq!(
            id("aws_iam_role", &planned(&serde_json::json!({"name": "task"}))).as_deref(),
            Some("task")
        );
        assert_eq!(id("aws_iam_role", &planned(&serde_json::json!({"name_prefix": "task"}))), None);
        assert_eq!(id("aws_iam_role", &planned(&serde_json::json!({"name": ""}))), None);
        assert_eq!(id("aws_kms_key", &planned(&serde_json::json!({"name": "key"}))), None);
    }

    #[test]
    fn what_began_and_did_not_end_is_left_until_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        assert_eq!(left(&path), []);
        let ids = BTreeMap::from([("aws_iam_role.b".to_owned(), "b".to_owned())]);
        let mut log = Log::begin(&path, ids).unwrap();
        for address in ["aws_vpc.a", "aws_iam_role.b", "aws_eip.c"] {
            log.began(address);
        }
        log.ended("aws_vpc.a");
        // Killed in the middle of a line.
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"address\":\"aws_e").unwrap();
        let expected = [
            Left { address: "aws_eip.c".to_owned(), id: None },
            Left { address: "aws_iam_role.b".to_owned(), id: Some("b".to_owned()) },
        ];
        assert_eq!(left(&path), expected);
        // The next run, which is killed as well before it has made anything.
        let mut log = Log::begin(&path, BTreeMap::new()).unwrap();
        assert_eq!(left(&path), expected);
        log.ended("aws_iam_role.b");
        assert_eq!(left(&path), expected[..1]);
    }

    #[test]
    fn blocks_are_there_for_as_long_as_they_are_needed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("seiketsu_adopts.tf");
        let wanted = [
            Left {
                address: "module.secrets.aws_secretsmanager_secret.this[\"A\"]".to_owned(),
                id: Some("s/A${x}".to_owned()),
            },
            Left { address: "aws_eip.c".to_owned(), id: None },
        ];
        let adoption = Adoption::within(directory.path(), &wanted).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("to = module.secrets.aws_secretsmanager_secret.this[\"A\"]\n  id = \"s/A$${x}\"\n"),
            "{text}"
        );
        assert!(!text.contains("aws_eip"), "{text}");
        drop(adoption);
        assert!(!file.exists());
        fs::write(&file, "left by a killed run").unwrap();
        drop(Adoption::within(directory.path(), &[]).unwrap());
        assert!(!file.exists());
    }

    #[test]
    fn a_resource_is_found_in_messages_that_quote_it() {
        let address = "module.a.aws_iam_role.b[\"c\"]";
        assert!(mentions(
            "while importing to \"module.a.aws_iam_role.b[\\\"c\\\"]\", it is not there",
            address
        ));
        assert!(mentions("  module.a.aws_iam_role.b[\"c\"]: it is not there", address));
        assert!(!mentions("module.a.aws_iam_role.b[\"d\"]", address));
    }
}
