//! Mail as files: what `seiketsu up` does with it where no mail server is configured.

use super::{Letter, MailFailure, Mailer};
use async_trait::async_trait;
use lettre::Address;
use std::{io, path::PathBuf};

/// Puts each mail into a file of its own, `mail_….eml`, which any mail program can open.
#[derive(Debug)]
pub struct FileMailer {
    directory: PathBuf,
    sender: Address,
}

impl FileMailer {
    /// A mailer into a directory, which is made when the first mail comes, for its owner alone.
    pub fn new(directory: PathBuf, sender: Address) -> Self {
        Self { directory, sender }
    }

    async fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut builder = tokio::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.directory).await?;
        // In two steps, so that a file under its own name is always whole.
        let unfinished = self.directory.join(format!(".{name}.part"));
        tokio::fs::write(&unfinished, bytes).await?;
        tokio::fs::rename(&unfinished, self.directory.join(name)).await
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailFailure> {
        let message = letter.message(&self.sender)?;
        let name = format!("{}.eml", letter.mail().id);
        self.write(&name, &message.formatted()).await.map_err(|error| {
            MailFailure::Transient(format!("the mail could not be written to a file: {}", error.kind()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{letter::tests::letter, sender};
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_mail_becomes_one_file_that_only_its_owner_can_reach() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("data/mail");
        let mailer = FileMailer::new(directory.clone(), sender("no-reply@seiketsu.example").unwrap());
        for _ in 0..2 {
            mailer.send(&letter()).await.unwrap();
        }
        let files: Vec<_> =
            std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [directory.join(format!("{}.eml", letter().mail().id))]);
        assert!(std::fs::read_to_string(&files[0]).unwrap().contains("To: john@example.com"));
        let mode = std::fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_made_puts_the_mail_off() {
        let home = tempfile::tempdir().unwrap();
        let in_the_way = home.path().join("mail");
        std::fs::write(&in_the_way, "").unwrap();
        let mailer = FileMailer::new(in_the_way, sender("no-reply@seiketsu.example").unwrap());
        assert!(matches!(mailer.send(&letter()).await, Err(MailFailure::Transient(_))));
    }
}
