//! What is being made right now, in a file that outlives the run.
//!
//! Whoever interrupts Terraform also cancels the requests that are on their way, and AWS may have taken them. If Terraform has
//! heard the thing's id, it marks it to be made anew, although it is there, and is in the way: AWS keeps the name of a secret for
//! weeks. So it is written down when Terraform begins to make something and when that has ended. From what had begun and not
//! ended the next run takes that mark. What Terraform has not heard of may exist without it; it is named, and never taken over
//! unasked: a thing of that name may be somebody else's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

/// A file of more bytes than this is none of ours.
const MAX_BYTES: u64 = 16 << 20;

/// Types that AWS refuses to make twice under one name, and the id that Terraform imports them by. Others are made again by the
/// same request (topics, queues, alarms), or have an id that only AWS knows.
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
    /// Goes on with what is left of the one before.
    pub(crate) fn begin(path: &Path, ids: BTreeMap<String, String>) -> io::Result<Self> {
        Ok(Self { file: fs::OpenOptions::new().create(true).append(true).open(path)?, ids })
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

/// Replaces what is left, all of it or nothing.
pub(crate) fn keep_only(path: &Path, left: &[Left]) -> io::Result<()> {
    if left.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let beside = path.with_extension("new");
    let mut log = Log { file: fs::File::create(&beside)?, ids: BTreeMap::new() };
    for Left { address, id } in left {
        log.line(&Line { address: address.clone(), id: id.clone(), ended: false });
    }
    fs::rename(beside, path)
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
        // The next run has looked at them, and goes on in the same file.
        keep_only(&path, &expected).unwrap();
        let mut log = Log::begin(&path, BTreeMap::new()).unwrap();
        assert_eq!(left(&path), expected);
        log.ended("aws_iam_role.b");
        assert_eq!(left(&path), expected[..1]);
        keep_only(&path, &expected[1..]).unwrap();
        assert_eq!(left(&path), expected[1..]);
        keep_only(&path, &[]).unwrap();
        keep_only(&path, &[]).unwrap();
        assert!(!path.exists());
    }
}
