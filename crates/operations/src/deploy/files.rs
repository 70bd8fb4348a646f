//! Files around a deployment: what a plan is made from, where the provider is, what is kept for its owner alone.

use super::{DeployError, error::of};
use crate::variables::Environment;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), DeployError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(content)).map_err(|error| of(path, error))
}

/// Where the provider was put for machines without a registry: `TF_PLUGIN_DIR`, or one of the usual places.
pub(super) fn plugins(environment: &dyn Environment) -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = environment.get("TF_PLUGIN_DIR").map(Into::into).into_iter().collect();
    places.extend(environment.get("HOME").map(|home| Path::new(&home).join(".terraform.d/plugins")));
    places.extend(["/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"].map(Into::into));
    places.extend(fs::read_dir("/opt").into_iter().flatten().flatten().map(|entry| entry.path()));
    let place =
        places.into_iter().find(|place| place.join("registry.terraform.io/hashicorp/aws").is_dir())?;
    std::path::absolute(place).ok()
}

/// A hash of what a plan is made from: the root's files and the files of variables.
pub(super) fn fingerprint(root: &Path, variables: &[PathBuf]) -> u64 {
    let mut files = variables.to_vec();
    sources(root, &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}

/// Files that a plan is made from.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["tests", "bootstrap", "environments"].contains(&name.as_str()) {
                sources(&path, files);
            }
        } else if path
            .extension()
            .is_some_and(|kind| ["tf", "tfvars", "tftpl", "json", "js"].iter().any(|known| kind == *known))
        {
            files.push(path);
        }
    }
}
