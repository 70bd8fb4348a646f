//! `seiketsu dev-cert`: a certificate authority and a certificate for this machine, for clients that insist on TLS.
//!
//! The authority's key is thrown away as soon as it has signed: whoever trusts it trusts this one certificate. `up` opens
//! a TLS listener beside the plain one when the certificate is there.

use crate::{config::Config, exit::Exit, terminal::Terminal};
use anyhow::Context;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::Serialize;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Browsers and libraries refuse leaves that are good for longer than 825 days; nobody needs one for that long.
const DAYS: i64 = 90;

/// Where the files are.
#[derive(Debug, Clone, Serialize)]
struct Files {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    good_until: String,
}

fn place(config: &Config) -> PathBuf {
    config.state_dir.join("tls")
}

/// Makes the certificate anew.
pub(crate) fn make(config: &Config, now: Timestamp, terminal: Terminal) -> anyhow::Result<Exit> {
    let directory = place(config);
    let files =
        write(&directory, now).with_context(|| format!("making certificates in {}", directory.display()))?;
    if terminal.json() {
        terminal.document(&files)?;
        return Ok(Exit::Success);
    }
    let authority = std::path::absolute(&files.authority).unwrap_or_else(|_| files.authority.clone());
    let authority = authority.display();
    terminal.talk(format_args!("a certificate for {}, good until {}", NAMES.join(", "), files.good_until));
    terminal.talk(format_args!("  {}", files.certificate.display()));
    terminal.talk(format_args!("  {}", files.key.display()));
    terminal.talk("`seiketsu up` listens with it on TLS_LISTEN (127.0.0.1:8443) from its next start on.");
    terminal.talk("Have clients trust its authority, for example:");
    terminal.data(format_args!("export NODE_EXTRA_CA_CERTS={authority}"));
    Ok(Exit::Success)
}

fn write(directory: &Path, now: Timestamp) -> anyhow::Result<Files> {
    let day = |at: Timestamp| {
        let date = TimeZone::UTC.to_datetime(at).date();
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    let until = now + SignedDuration::from_hours(24 * DAYS);
    let dated = |mut params: CertificateParams, name: &str| {
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = day(now - SignedDuration::from_hours(24));
        params.not_after = day(until);
        params
    };
    let mut authority = dated(CertificateParams::new(Vec::new())?, "Seiketsu development authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut leaf = dated(CertificateParams::new(NAMES.map(str::to_owned))?, "localhost");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&key, &authority)?;

    fs::create_dir_all(directory)?;
    let file = |name: &str| directory.join(name);
    let files = Files {
        authority: file("ca.pem"),
        certificate: file("cert.pem"),
        key: file("key.pem"),
        good_until: until.strftime("%F").to_string(),
    };
    fs::write(&files.authority, authority.pem())?;
    fs::write(&files.certificate, leaf.pem())?;
    // A key that was there before keeps its mode when it is only written to.
    let _ = fs::remove_file(&files.key);
    let mut secret = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&files.key)?;
    secret.write_all(key.serialize_pem().as_bytes())?;
    Ok(files)
}

/// The certificate as a listener needs it; none if none was made.
pub(crate) fn load(config: &Config) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    let directory = place(config);
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    if !certificate.exists() {
        return Ok(None);
    }
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("reading {}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(&key).with_context(|| format!("reading {}", key.display()))?;
    let mut tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate of `seiketsu dev-cert`")?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(tls)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_written_with_a_private_key_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        for _ in 0..2 {
            let files = write(directory.path(), now).unwrap();
            assert_eq!(files.good_until, "2027-02-27");
            assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(CertificateDer::pem_file_iter(&files.certificate).unwrap().count(), 1);
            assert!(!fs::read_to_string(&files.authority).unwrap().contains("PRIVATE"));
        }
    }
}
