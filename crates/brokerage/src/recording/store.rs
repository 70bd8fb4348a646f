//! Where sealed chunks are kept: a directory, or S3-compatible storage. An object each, see ADR 10 for why.

use super::chunks::MAX_CHUNK_BYTES;
use super::seal::{ChunkError, Sealed};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path,
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, os::unix::fs::DirBuilderExt, path::PathBuf, sync::Arc, time::Duration};

/// The longest wait for one operation, its retries included.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest wait for one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A failure of the place where chunks are kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Settings that name no such place.
    #[error("recording.store (RECORDING_STORE) = `{0}`: expected a directory or s3://bucket/prefix")]
    Setting(String),
    /// The directory cannot be made.
    #[error("the directory {directory} for recordings cannot be made")]
    Directory {
        /// Which one.
        directory: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A request failed for good.
    #[error("{operation} `{location}` failed")]
    Request {
        /// What was to be done.
        operation: &'static str,
        /// With what.
        location: String,
        /// Why not.
        #[source]
        source: object_store::Error,
    },
    /// It did not answer in time.
    #[error("{operation} `{location}` took longer than {} s", PATIENCE.as_secs())]
    Timeout {
        /// What was to be done.
        operation: &'static str,
        /// With what.
        location: String,
    },
    /// What is there is not what was put there.
    #[error(transparent)]
    Chunk(#[from] ChunkError),
}

/// Where to keep recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOptions {
    /// A directory; made if it is not there, for its owner only.
    Directory(PathBuf),
    /// A bucket; requests, region, endpoint and credentials as `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY` say, or else the role of the machine or container.
    Bucket {
        /// Its name.
        bucket: String,
        /// What every key begins with; may be empty.
        prefix: String,
    },
}

impl std::str::FromStr for StoreOptions {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let refuse = || StoreError::Setting(text.to_owned());
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            if bucket.len() < 3 || bucket.len() > 63 || !bucket.chars().all(known) {
                return Err(refuse());
            }
            let prefix = prefix.trim_matches('/').to_owned();
            return Ok(Self::Bucket { bucket: bucket.to_owned(), prefix });
        }
        let directory = text.strip_prefix("file://").unwrap_or(text);
        if directory.is_empty() || directory.contains("://") {
            return Err(refuse());
        }
        Ok(Self::Directory(directory.into()))
    }
}

/// A bucket's whereabouts where the environment does not say them.
#[derive(Debug, Clone)]
pub struct BucketAccess {
    /// Base URL of the service; plain HTTP is allowed for this one.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Id of the access key.
    pub access_key_id: String,
    /// The access key.
    pub secret_access_key: SecretString,
}

/// Keeps chunks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChunkStore {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl ChunkStore {
    /// Opens the place; with a bucket nothing is asked yet.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        match options {
            StoreOptions::Directory(directory) => Self::directory(directory),
            StoreOptions::Bucket { bucket, prefix } => {
                Self::bucket(AmazonS3Builder::from_env(), bucket, prefix, false)
            }
        }
    }

    /// Opens a bucket of a service that is not Amazon's.
    pub fn bucket_at(bucket: &str, prefix: &str, access: &BucketAccess) -> Result<Self, StoreError> {
        let builder = AmazonS3Builder::new()
            .with_endpoint(&access.endpoint)
            .with_region(&access.region)
            .with_access_key_id(&access.access_key_id)
            .with_secret_access_key(access.secret_access_key.expose_secret());
        Self::bucket(builder, bucket, prefix, access.endpoint.starts_with("http://"))
    }

    fn directory(directory: &std::path::Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Directory { directory: directory.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let objects = LocalFileSystem::new_with_prefix(directory)
            .map_err(|error| failed(std::io::Error::other(error)))?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Self { objects: Arc::new(objects), prefix: Path::default() })
    }

    fn bucket(
        builder: AmazonS3Builder,
        bucket: &str,
        prefix: &str,
        plain_http: bool,
    ) -> Result<Self, StoreError> {
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        };
        let client = ClientOptions::new()
            .with_timeout(REQUEST_TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_allow_http(plain_http);
        let objects = builder
            .with_bucket_name(bucket)
            .with_client_options(client)
            .with_retry(RetryConfig { backoff, max_retries: 4, retry_timeout: REQUEST_TIMEOUT })
            .build()
            .map_err(|source| StoreError::Request {
                operation: "opening",
                location: bucket.to_owned(),
                source,
            })?;
        Ok(Self { objects: Arc::new(objects), prefix: Path::from(prefix) })
    }

    /// Keeps a chunk; durable when it returns.
    pub async fn put(&self, location: &str, chunk: Sealed) -> Result<(), StoreError> {
        let path = self.path(location, chunk.index);
        let put = self.objects.put(&path, PutPayload::from(chunk.bytes));
        in_time("storing", &path, put).await.map(drop)
    }

    /// What is stored at `index`.
    pub(super) async fn get(&self, location: &str, index: u32) -> Result<Vec<u8>, StoreError> {
        let path = self.path(location, index);
        let got = in_time("reading", &path, async {
            let found = self.objects.get(&path).await?;
            if found.meta.size > MAX_CHUNK_BYTES {
                return Ok(Err(ChunkError::Length { index, bytes: found.meta.size }));
            }
            found.bytes().await.map(Ok)
        });
        match got.await {
            Ok(bytes) => Ok(bytes?.into()),
            Err(StoreError::Request { source: object_store::Error::NotFound { .. }, .. }) => {
                Err(ChunkError::Missing { index }.into())
            }
            Err(error) => Err(error),
        }
    }

    /// The lengths of all chunks there are, by their numbers.
    pub(super) async fn lengths(&self, location: &str) -> Result<BTreeMap<u32, u64>, StoreError> {
        let path = self.folder(location);
        let listed = self.objects.list(Some(&path)).try_collect::<Vec<_>>();
        let found = in_time("listing", &path, listed).await?;
        // Whatever else lies there is none of ours.
        let number = |path: &Path| path.filename().and_then(|name| name.parse().ok());
        Ok(found.into_iter().filter_map(|object| Some((number(&object.location)?, object.size))).collect())
    }

    /// Removes everything that is at a location; says how many objects that were.
    pub(super) async fn remove(&self, location: &str) -> Result<u64, StoreError> {
        let path = self.folder(location);
        let listed =
            in_time("listing", &path, self.objects.list(Some(&path)).try_collect::<Vec<_>>()).await?;
        let paths = futures_util::stream::iter(listed.into_iter().map(|object| Ok(object.location))).boxed();
        let removed = self
            .objects
            .delete_stream(paths)
            .map(|removed| match removed {
                // Somebody else was quicker.
                Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(1),
                Err(error) => Err(error),
            })
            .try_fold(0, async |sum, one: u64| Ok(sum + one));
        in_time("removing", &path, removed).await
    }

    fn folder(&self, location: &str) -> Path {
        location.split('/').fold(self.prefix.clone(), Path::join)
    }

    fn path(&self, location: &str, index: u32) -> Path {
        self.folder(location).join(format!("{index:08}"))
    }
}

async fn in_time<T>(
    operation: &'static str,
    location: &Path,
    request: impl Future<Output = Result<T, object_store::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, request).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(StoreError::Request { operation, location: location.to_string(), source }),
        Err(_) => Err(StoreError::Timeout { operation, location: location.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_place_is_a_directory_or_a_bucket_and_anything_else_is_refused_by_its_name() {
        let bucket = |bucket: &str, prefix: &str| StoreOptions::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, expected) in [
            ("s3://calls", bucket("calls", "")),
            ("s3://calls/eu/audio/", bucket("calls", "eu/audio")),
            ("/var/lib/recordings", StoreOptions::Directory("/var/lib/recordings".into())),
            ("file:///var/lib/recordings", StoreOptions::Directory("/var/lib/recordings".into())),
            ("data/recordings", StoreOptions::Directory("data/recordings".into())),
        ] {
            assert_eq!(text.parse::<StoreOptions>().unwrap(), expected, "{text}");
        }
        for text in ["", "s3://", "s3://A", "s3://My_Bucket/x", "https://example.com/bucket"] {
            let error = text.parse::<StoreOptions>().unwrap_err().to_string();
            assert!(error.contains("RECORDING_STORE"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_directory_keeps_chunks_for_its_owner_only_and_is_empty_when_they_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("deep/recordings");
        let store = ChunkStore::open(&StoreOptions::Directory(directory.clone())).unwrap();
        assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(store.lengths("ten/call/0000").await.unwrap(), BTreeMap::new());
        for index in 0..3 {
            store.put("ten/call/0000", Sealed { index, bytes: vec![7; 10 + index as usize] }).await.unwrap();
        }
        assert_eq!(store.get("ten/call/0000", 1).await.unwrap(), vec![7; 11]);
        assert_eq!(store.lengths("ten/call/0000").await.unwrap(), [(0, 10), (1, 11), (2, 12)].into());
        let missing = store.get("ten/call/0000", 3).await.unwrap_err();
        assert!(matches!(missing, StoreError::Chunk(ChunkError::Missing { index: 3 })), "{missing}");
        assert_eq!(store.remove("ten/call/0000").await.unwrap(), 3);
        assert_eq!(store.remove("ten/call/0000").await.unwrap(), 0);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn an_object_that_is_too_large_to_be_a_chunk_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let store = ChunkStore::open(&StoreOptions::Directory(directory.path().to_owned())).unwrap();
        let bytes = vec![0; MAX_CHUNK_BYTES as usize + 1];
        store.put("here", Sealed { index: 0, bytes }).await.unwrap();
        let error = store.get("here", 0).await.unwrap_err();
        assert!(matches!(error, StoreError::Chunk(ChunkError::Length { index: 0, .. })), "{error}");
    }
}
