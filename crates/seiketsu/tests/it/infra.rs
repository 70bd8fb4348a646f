//! `seiketsu infra` and its script, with a Terraform that does as it is told.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Writes down what it is asked, and answers from files in `$FAKE`.
const TERRAFORM: &str = r#"#!/bin/sh
echo "$(basename "$PWD"): $*" >> "$FAKE/log"
say() { echo "{\"@level\":\"info\",\"@message\":\"\",\"type\":\"$1\",$2}"; }
trouble() {
  echo "{\"@level\":\"error\",\"@message\":\"\",\"type\":\"diagnostic\",\"diagnostic\":{\"severity\":\"error\",\"summary\":\"$1\",\"detail\":\"$2\"}}"
  exit 1
}
once() { [ -e "$FAKE/$1" ] && rm "$FAKE/$1"; }
case $1 in
version) echo "{\"terraform_version\":\"$(cat "$FAKE/version" 2>/dev/null || echo 1.11.4)\"}" ;;
init)
  mkdir -p "$TF_DATA_DIR/providers"
  ;;
output)
  case $PWD in
  */questions/identity) echo '{"answer":{"sensitive":false,"value":["123456789012","arn:aws:sts::123456789012:assumed-role/deployer/me"]}}' ;;
  */questions/state-key) echo '{"answer":{"sensitive":false,"value":"arn:aws:kms:us-east-1:123456789012:key/1"}}' ;;
  *) echo '{"public_url":{"sensitive":false,"value":"https://voice.example.com"},"password":{"sensitive":true,"value":"hunter2hunter2"}}' ;;
  esac
  ;;
plan)
  once locked && trouble "Error acquiring the state lock" "Lock Info:\n  ID:        11111111-2222\n  Who:       ada@laptop\n  Created:   2026-11-30 04:00:00 UTC"
  once leaks && { echo "complaining about $OPENAI_API_KEY" >&2; trouble "no such key: $OPENAI_API_KEY" "in $TF_VAR_secret_values"; }
  echo "$TF_VAR_secrets_written_here $TF_VAR_deployer_role_arns" > "$FAKE/told"
  case $TF_VAR_secret_values in *"$OPENAI_API_KEY"*) echo yes ;; *) echo no ;; esac > "$FAKE/has-secrets"
  for argument; do case $argument in -out=*) echo "plan" > "${argument#-out=}" ;; esac; done
  say apply_complete '"hook":{"resource":{"addr":"data.aws_region.here"},"action":"read","elapsed_seconds":0}'
  say planned_change '"change":{}'
  ;;
show) cat "$FAKE/plan.json" ;;
apply)
  case $* in *auto-approve*)
    case $PWD in */questions/state-key) [ -e "$FAKE/no-state" ] && { echo "Error: reading KMS Alias: couldn't find resource" >&2; exit 1; } ;; esac
    once refused && { echo "Error: InvalidClientTokenId: the security token is invalid" >&2; exit 1; }
    exit 0 ;;
  esac
  case $PWD in */bootstrap) rm -f "$FAKE/no-state" ;; esac
  once stale && trouble "Saved plan is stale" "The given plan file can no longer be applied"
  say apply_complete '"hook":{"resource":{"addr":"module.security.aws_kms_key.data"},"action":"create","elapsed_seconds":3}'
  if once waits; then
    for under_way in 'module.secrets.aws_secretsmanager_secret.this[\"KEPT\"]' module.ecs.aws_iam_role.there module.database.aws_db_instance.made module.networking.aws_eip.nat; do
      say apply_start "\"hook\":{\"resource\":{\"addr\":\"$under_way\"},\"action\":\"create\"}"
    done
    trap 'echo "got an interrupt" >> "$FAKE/log"; exit 1' INT
    echo "apply waits" >> "$FAKE/log"
    while [ ! -e "$FAKE/stop" ]; do sleep 0.05; done
    exit 1
  fi
  once breaks && trouble "creating the second one failed" "quota"
  say apply_complete '"hook":{"resource":{"addr":"module.security.aws_kms_key.logs"},"action":"create","elapsed_seconds":1}'
  ;;
untaint)
  case $* in
  *KEPT*) ;;
  *made*) echo "Error: Resource instance is not tainted" >&2; exit 1 ;;
  *) echo "Error: No such resource instance" >&2; exit 1 ;;
  esac ;;
force-unlock | state) ;;
*) exit 9 ;;
esac
"#;

const PLAN: &str = r#"{"format_version": "1.2", "variables": {"environment": {"value": "staging"}}, "resource_changes": [
  {"address": "module.security.aws_kms_key.data", "module_address": "module.security", "mode": "managed", "type": "aws_kms_key",
   "change": {"actions": ["create"], "after": {"enable_key_rotation": true, "description": "hunter2hunter2"}}},
  {"address": "module.security.aws_kms_key.logs", "module_address": "module.security", "mode": "managed", "type": "aws_kms_key",
   "change": {"actions": ["create"], "after": {"enable_key_rotation": true}}},
  {"address": "module.ecs.aws_iam_role.there", "module_address": "module.ecs", "mode": "managed", "type": "aws_iam_role",
   "change": {"actions": ["no-op"], "after": {"name": "there"}}}]}"#;

/// A root, a Terraform and an environment, all of them made up.
struct Place {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for below in ["root/environments", "root/bootstrap", "bin", "fake"] {
            fs::create_dir_all(at.join(below)).unwrap();
        }
        fs::write(at.join("root/main.tf"), "# made up\n").unwrap();
        for environment in ["staging", "production"] {
            fs::write(at.join(format!("root/environments/{environment}.tfvars")), "").unwrap();
        }
        fs::write(
            at.join("root/terraform.tfvars"),
            "domain = \"a\"\nzone_id = \"b\"\nimage_digest = \"c\"\nvariables = {}\n",
        )
        .unwrap();
        fs::write(at.join("fake/plan.json"), PLAN).unwrap();
        fs::write(at.join("bin/terraform"), TERRAFORM).unwrap();
        fs::set_permissions(at.join("bin/terraform"), fs::Permissions::from_mode(0o755)).unwrap();
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret-abcdefgh"),
            ("ELEVENLABS_API_KEY", "eleven-abcdefgh"),
            ("OPENAI_API_KEY", "sk-openai-abcdefgh"),
            ("JWT_SECRET", "jwt-0123456789-0123456789-0123456789"),
            ("SUPABASE_KEY", "supabase-abcdefgh"),
            ("MONITORING_API_KEY", "monitoring-abcdefgh"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { directory, variables }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    /// Makes the next run of Terraform do this once.
    fn once(&self, what: &str) {
        fs::write(self.path("fake").join(what), "").unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seiketsu"));
        command.arg("infra").args(arguments).args(["--root", self.path("root").to_str().unwrap()]);
        command.args(["--work", self.path("work").to_str().unwrap()]);
        self.dress(&mut command);
        command
    }

    fn dress(&self, command: &mut Command) {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        command
            .env_clear()
            .env("PATH", path)
            .env("FAKE", self.path("fake"))
            .env("HOME", self.directory.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        told(&self.command(arguments).output().unwrap())
    }

    fn typing(&self, arguments: &[&str], text: &str) -> (Option<i32>, String, String) {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        told(&child.wait_with_output().unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("fake/log")).unwrap_or_default()
    }

    /// What was asked of Terraform in the root, without options.
    fn asked(&self) -> Vec<String> {
        let log = self.log();
        let asked = log.lines().filter_map(|line| line.strip_prefix("root: "));
        asked
            .map(|line| {
                line.split(" -").next().unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
            })
            .collect()
    }

    fn journal(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("work/staging/journal.json")).unwrap()).unwrap()
    }

    /// Starts `apply` and waits until Terraform is in the middle of it.
    fn in_mid_apply(&self) -> Child {
        self.once("waits");
        let child = self.command(&["apply", "staging"]).spawn().unwrap();
        let began = (0..600).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            self.log().contains("apply waits")
        });
        assert!(began, "it never began to apply: {}", self.log());
        child
    }
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn from_nothing_to_outputs_without_a_secret_on_any_screen() {
    let place = Place::new();
    let (code, out, told) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(place.asked(), ["version", "init", "plan", "show", "apply", "output"]);
    for expected in [
        "account 123456789012",
        "security",
        "2 kms_key",
        "$0.00 before, $2.30 after",
        "[   1/2] made      module.security.aws_kms_key.data (3 s)",
        "2 steps done",
    ] {
        assert!(told.contains(expected), "{expected} is missing in {told}");
    }
    assert!(!told.contains("data.aws_region"), "data is no step: {told}");
    let init = place.log().lines().find(|line| line.starts_with("root: init")).unwrap().to_owned();
    assert!(init.contains("-backend-config=bucket=seiketsu-state-123456789012"), "{init}");
    assert!(
        init.contains("key=staging/terraform.tfstate") && init.contains("kms_key_id=arn:aws:kms"),
        "{init}"
    );
    let given = fs::read_to_string(place.path("fake/told")).unwrap();
    assert!(
        given.contains("\"OPENAI_API_KEY\"") && given.contains("arn:aws:iam::123456789012:role/deployer"),
        "{given}"
    );
    assert_eq!(fs::read_to_string(place.path("fake/has-secrets")).unwrap().trim(), "yes");
    let outputs: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("work/staging/outputs.json")).unwrap()).unwrap();
    assert_eq!(
        outputs,
        serde_json::json!({"public_url": "https://voice.example.com", "password": "(secret)"})
    );
    // Neither on the screen, nor in what is kept, nor on a command line.
    let mut seen = format!("{out}{told}{}", place.log());
    for file in
        fs::read_dir(place.path("work/staging")).unwrap().flatten().filter(|file| file.path().is_file())
    {
        seen.push_str(&fs::read_to_string(file.path()).unwrap());
    }
    for secret in place
        .variables
        .iter()
        .map(|(_, value)| value.as_str())
        .chain(["hunter2"])
        .filter(|v| *v != "AKIAEXAMPLE")
    {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
    assert!(!place.path("work/staging/plan.tfplan").exists(), "a plan that was applied is of no use");
    assert!(!place.path("work/staging/under-way.jsonl").exists(), "nothing is under way any more");
    let mode = fs::metadata(place.path("work/staging")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    let (code, out, _) = place.run(&["output", "staging"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("https://voice.example.com") && !out.contains("hunter2"), "{out}");
}

#[test]
fn what_terraform_says_of_secrets_is_blotted_out() {
    let place = Place::new();
    place.once("leaks");
    let (code, out, told) = place.run(&["plan", "staging"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no such key: (secret)") && told.contains("complaining about (secret)"), "{told}");
    assert!(!format!("{out}{told}").contains("sk-openai-abcdefgh"), "{told}");
}

#[test]
fn each_missing_variable_is_named_with_how_to_get_it() {
    let place =
        Place::new().without("OPENAI_API_KEY").without("SUPABASE_KEY").without("AWS_SECRET_ACCESS_KEY");
    fs::write(place.path("root/terraform.tfvars"), "domain = \"a\"\n").unwrap();
    let (code, _, told) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(5));
    for expected in [
        "OPENAI_API_KEY: platform.openai.com",
        "AWS_SECRET_ACCESS_KEY: IAM",
        "zone_id: in terraform.ENVIRONMENT.tfvars",
        "image_digest",
    ] {
        assert!(told.contains(expected), "{expected} is missing in {told}");
    }
    assert!(told.contains("not needed: SUPABASE_KEY"), "{told}");
    assert_eq!(place.log(), "", "Terraform was not asked for anything");
    let (code, out, told) = place.run(&["check", "staging"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(out.contains("platform.openai.com") && out.contains("1.11.4"), "{out}");
    let (code, _, told) = Place::new().run(&["check", "staging"]);
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn without_terraform_or_with_an_old_one_it_says_what_is_needed() {
    let place = Place::new();
    fs::write(place.path("fake/version"), "1.9.8").unwrap();
    let (code, _, told) = place.run(&["plan", "staging"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("1.9.8 is too old"), "{told}");
    fs::remove_file(place.path("bin/terraform")).unwrap();
    let mut command = place.command(&["plan", "staging"]);
    let (code, _, told) = told_of(command.env("PATH", place.path("bin")));
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("Terraform is not installed"), "{told}");
}

fn told_of(command: &mut Command) -> (Option<i32>, String, String) {
    told(&command.output().unwrap())
}

#[test]
fn credentials_that_aws_does_not_know_end_it_before_anything_is_planned() {
    let place = Place::new();
    place.once("refused");
    let (code, _, told) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(
        told.contains("does not know these credentials") && told.contains("InvalidClientTokenId"),
        "{told}"
    );
    assert!(!place.asked().contains(&"plan".to_owned()));
}

#[test]
fn production_asks_for_its_name_and_takes_nothing_else() {
    for (arguments, typed, expected) in [
        (&["apply", "production"][..], "", 6),
        (&["apply", "production"], "yes\n", 6),
        (&["apply", "production"], "staging\n", 6),
        (&["apply", "production"], "production\n", 0),
        (&["apply", "production", "--yes", "production"], "", 0),
        (&["apply", "production", "--yes", "staging"], "production\n", 2),
        (&["destroy", "staging"], "", 6),
        (&["destroy", "staging", "--yes", "staging"], "", 0),
    ] {
        let place = Place::new();
        let (code, _, told) = place.typing(arguments, typed);
        assert_eq!(code, Some(expected), "{arguments:?} {typed:?}: {told}");
        assert_eq!(place.asked().contains(&"apply".to_owned()), expected == 0, "{arguments:?}");
        if expected == 6 {
            assert!(told.contains("nothing was changed"), "{told}");
        }
    }
    // Never by default: the option needs the name.
    let (code, ..) = Place::new().run(&["apply", "production", "--yes"]);
    assert_eq!(code, Some(2));
}

#[test]
fn a_plan_is_taken_up_unless_something_has_changed() {
    let place = Place::new();
    let (code, _, told) = place.run(&["plan", "staging"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("saved"), "{told}");
    let work = place.path("work");
    let (code, out, _) = place.run_plain(&["infra", "cost", "staging", "--work", work.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(out.contains("public prices"), "{out}");
    let (code, _, told) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("and not applied") && told.contains("taking that plan up"), "{told}");
    assert_eq!(place.asked().iter().filter(|asked| *asked == "plan").count(), 1);

    let place = Place::new();
    place.run(&["plan", "staging"]);
    fs::write(place.path("root/main.tf"), "# changed\n").unwrap();
    let (_, _, told) = place.run(&["apply", "staging"]);
    assert!(!told.contains("taking that plan up"), "{told}");
    assert_eq!(place.asked().iter().filter(|asked| *asked == "plan").count(), 2);

    let place = Place::new();
    place.run(&["plan", "staging"]);
    place.once("stale");
    let (code, _, told) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("planning again"), "{told}");
}

#[test]
fn after_ctrl_c_terraform_ends_in_order_and_the_next_run_goes_on() {
    for name in ["-INT", "-TERM"] {
        let place = Place::new();
        let child = place.in_mid_apply();
        signal(&child, name);
        let (code, _, said) = told(&child.wait_with_output().unwrap());
        assert_eq!(code, Some(8), "{said}");
        assert!(
            said.contains("gives the lock back") && said.contains("interrupted after 1 of 2 steps"),
            "{said}"
        );
        assert_eq!(place.log().matches("got an interrupt").count(), 1, "one signal and no more");
        let journal = place.journal();
        assert_eq!((&journal["stage"], &journal["done"]), (&"interrupted".into(), &1.into()));
        let (code, _, said) = place.run(&["apply", "staging"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("was interrupted") && said.contains("after 1 of 2 steps"), "{said}");
        assert_eq!(place.journal()["stage"], "applied");
    }
}

#[test]
fn what_was_being_made_at_an_interrupt_is_kept_or_named() {
    for name in ["-INT", "-KILL"] {
        let place = Place::new();
        let mut child = place.in_mid_apply();
        signal(&child, name);
        child.wait().unwrap();
        fs::write(place.path("fake/stop"), "").unwrap();
        // Nobody is asked for what is to go anyway.
        let (code, _, said) = place.run(&["destroy", "staging"]);
        assert_eq!(code, Some(6), "{said}");
        assert!(!place.log().contains("untaint"), "{said}");
        let (code, _, said) = place.run(&["plan", "staging"]);
        assert_eq!(code, Some(0), "{said}");
        for expected in [
            "this[\"KEPT\"] had been made when the last run was interrupted; it is kept",
            "aws_iam_role.there may have been made when the last run was interrupted",
            "terraform import 'module.ecs.aws_iam_role.there' 'there'",
            "module.networking.aws_eip.nat may have been made",
        ] {
            assert!(said.contains(expected), "{expected} is missing in {said}");
        }
        assert!(!said.contains("aws_db_instance.made"), "{said}");
        // What was kept is not looked at again: whoever marks it later means it.
        let (_, _, said) = place.run(&["plan", "staging"]);
        assert!(said.contains("aws_iam_role.there may") && !said.contains("KEPT"), "{said}");
        let log = place.path("work/staging/under-way.jsonl");
        let left = fs::read_to_string(&log).unwrap();
        assert!(left.contains("aws_eip.nat") && !left.contains("KEPT") && !left.contains("made"), "{left}");
    }
}

#[test]
fn after_a_kill_the_next_run_says_what_happened_and_whose_the_lock_is() {
    let place = Place::new();
    let mut child = place.in_mid_apply();
    signal(&child, "-KILL");
    child.wait().unwrap();
    fs::write(place.path("fake/stop"), "").unwrap();
    assert_eq!(place.journal()["stage"], "applying");
    place.once("locked");
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("was killed while applying") && said.contains("ada@laptop"), "{said}");
    assert!(said.contains("seiketsu infra apply staging --unlock 11111111-2222"), "{said}");
    // A state that could not be saved is saved first.
    fs::write(place.path("root/errored.tfstate"), "{}").unwrap();
    let (code, _, said) = place.run(&["apply", "staging", "--unlock", "11111111-2222"]);
    assert_eq!(code, Some(0), "{said}");
    let log = place.log();
    assert!(log.contains("force-unlock -force 11111111-2222") && log.contains("state push"), "{log}");
    assert!(
        !place.path("root/errored.tfstate").exists() && place.path("work/staging/errored.tfstate").exists()
    );
}

#[test]
fn what_fails_in_the_middle_is_told_with_what_was_done() {
    let place = Place::new();
    place.once("breaks");
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(9), "{said}");
    assert!(
        said.contains("1 of 2 steps were done") && said.contains("creating the second one failed"),
        "{said}"
    );
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("the last run failed"), "{said}");
}

#[test]
fn a_plan_that_takes_the_values_of_secrets_away_is_not_applied() {
    let place = Place::new();
    let lost = r#"{"format_version": "1.2", "resource_changes": [
      {"address": "module.secrets.aws_secretsmanager_secret_version.this[\"DEEPGRAM_API_KEY\"]", "mode": "managed",
       "type": "aws_secretsmanager_secret_version", "change": {"actions": ["delete"], "before": {}}}]}"#;
    fs::write(place.path("fake/plan.json"), lost).unwrap();
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("DEEPGRAM_API_KEY") && !place.asked().contains(&"apply".to_owned()), "{said}");
}

#[test]
fn the_state_bucket_is_made_once_and_only_by_apply() {
    let place = Place::new();
    place.once("no-state");
    let (code, _, said) = place.run(&["plan", "staging"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("has no state bucket yet"), "{said}");
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("--repository: owner/name"), "{said}");
    place.once("breaks");
    let (code, _, said) = place.run(&["apply", "staging", "--repository", "seiketsu-ai/seiketsu"]);
    assert_eq!(code, Some(9), "{said}");
    let (code, _, said) = place.run(&["apply", "staging", "--repository", "seiketsu-ai/seiketsu"]);
    assert_eq!(code, Some(0), "{said}");
    let log = place.log();
    let bootstrap: Vec<&str> = log.lines().filter(|line| line.starts_with("bootstrap: ")).collect();
    // Both times init, plan, show, apply: what was not finished is gone on with, although the key is there.
    assert_eq!(bootstrap.len(), 8, "{log}");
    assert!(said.contains("was not finished"), "{said}");
    assert!(place.asked().contains(&"apply".to_owned()), "{log}");
}

#[test]
fn two_runs_do_not_deploy_at_once() {
    let place = Place::new();
    let child = place.in_mid_apply();
    let (code, _, said) = place.run(&["apply", "staging"]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("another run deploys staging"), "{said}");
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
}

#[test]
fn who_destroys_needs_no_keys_of_the_platform() {
    let place = Place::new().without("OPENAI_API_KEY").without("JWT_SECRET");
    let (code, _, said) = place.typing(&["destroy", "staging"], "staging\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(place.log().contains("plan -json -input=false -destroy"), "{}", place.log());
}

#[test]
fn the_exit_codes_stand_in_the_help() {
    let place = Place::new();
    let (code, help, _) = place.run_plain(&["infra", "apply", "--help"]);
    assert_eq!(code, Some(0));
    for expected in [
        "6  the environment's name was not given",
        "7  another run",
        "8  interrupted",
        "9  some steps",
        "ELEVENLABS_API_KEY",
    ] {
        assert!(help.contains(expected), "{expected} is missing in {help}");
    }
}

impl Place {
    fn run_plain(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seiketsu"));
        self.dress(&mut command);
        told_of(command.args(arguments))
    }
}

#[test]
fn costs_are_told_as_a_table_as_json_and_as_markdown() {
    let place = Place::new();
    let plans = repository().join("infrastructure/plans");
    let (production, right) = (plans.join("production.json"), plans.join("production-right-sized.json"));
    let (production, right) = (production.to_str().unwrap(), right.to_str().unwrap());
    let (code, out, _) = place.run_plain(&["infra", "cost", production, right]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("Beside each other")
            && out.contains("` instead of `production` saves ")
            && !out.contains("Infracost"),
        "{out}"
    );
    let (_, out, _) = place.run_plain(&["infra", "cost", right, "--json", "--tasks", "3"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["plans"][0]["at"][0]["tasks"], 3);
    let (_, out, _) = place.run_plain(&["infra", "cost", right, "--markdown"]);
    assert!(out.starts_with("# What it costs on AWS"), "{out}");
    // Infracost's figure stands beside ours where that tool is.
    let tool = place.path("bin/infracost");
    fs::write(&tool, "#!/bin/sh\necho '{\"totalMonthlyCost\": \"612.5\"}'\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let (_, out, _) = place.run_plain(&["infra", "cost", right]);
    assert!(out.contains("Infracost says $613"), "{out}");
    fs::write(&tool, "#!/bin/sh\necho 'no API key' >&2\nexit 1\n").unwrap();
    let (code, out, _) = place.run_plain(&["infra", "cost", right]);
    assert_eq!(code, Some(0));
    assert!(out.contains("gave no figure: no API key"), "{out}");
}

#[test]
fn what_cannot_be_priced_says_what_is_wrong_with_it() {
    let place = Place::new();
    let (broken, unknown) = (place.path("broken.json"), place.path("unknown.json"));
    fs::write(&broken, "{\"format_version\": ").unwrap();
    let (code, _, said) = place.run_plain(&["infra", "cost", broken.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("broken.json") && said.contains("no plan as"), "{said}");
    let text = r#"{"format_version": "1.2", "resource_changes": [{"address": "aws_db_instance.a", "mode": "managed", "type": "aws_db_instance",
        "change": {"actions": ["create"], "after": {"instance_class": "db.r9g.huge", "allocated_storage": 20}}}]}"#;
    fs::write(&unknown, text).unwrap();
    let (code, _, said) = place.run_plain(&["infra", "cost", unknown.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("rds.postgres.db.r9g.huge") && said.contains("prices.toml"), "{said}");
    let (code, _, said) = place.run_plain(&["infra", "cost", "production"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("seiketsu infra plan production"), "{said}");
}

#[test]
fn the_script_is_a_front_of_it() {
    let place = Place::new();
    let script = repository().join("scripts/deploy-infrastructure.sh");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&script);
        place.dress(&mut command);
        told_of(command.args(arguments).env("SEIKETSU", env!("CARGO_BIN_EXE_seiketsu")))
    };
    let (root, work) = (place.path("root"), place.path("work"));
    let options = ["--root", root.to_str().unwrap(), "--work", work.to_str().unwrap()];
    for action in ["check", "plan", "apply", "output", "destroy"] {
        let mut arguments = vec!["staging", action];
        arguments.extend(options);
        arguments.extend(["--yes", "staging"]);
        let (code, _, said) = run(&arguments);
        assert_eq!(code, Some(0), "{action}: {said}");
    }
    let (code, out, said) = run(&["staging", "cost", "--work", work.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("security and compliance"), "{out}");
    for (wrong, why) in [
        (&["staging"][..], "usage: scripts/deploy-infrastructure.sh"),
        (&[], "usage: scripts/deploy-infrastructure.sh"),
        (&["testing", "apply"], "invalid value 'testing'"),
        (&["staging", "aply"], "unrecognized subcommand 'aply'"),
    ] {
        let (code, _, said) = run(wrong);
        assert_eq!(code, Some(2));
        assert!(said.contains(why), "{said}");
    }
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("check"), "{out}");
}
