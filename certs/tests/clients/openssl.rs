//! What OpenSSL makes of the certificates: it reads name constraints with code of its own.
//!
//! Without the program on the machine these say that they are skipped.

use std::process::{Command, Output};

use expect_test::expect;
use ordain_certs::{Authority, Certificate};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use crate::support::{authority, by_hand, minted, now};

struct OpenSsl(TempDir);

impl OpenSsl {
    fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            println!("skipped: there is no `openssl` on this machine");
            return None;
        }
        Some(Self(TempDir::new().unwrap()))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("openssl").args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// Why it refuses a leaf for a name, if it does.
    fn verify(&self, authority: &Authority, leaf: &CertificateDer<'_>, name: &str) -> Result<(), String> {
        std::fs::write(self.0.path().join("ca.pem"), authority.certificate_pem()).unwrap();
        std::fs::write(self.0.path().join("leaf.der"), leaf).unwrap();
        assert!(self.run(&["x509", "-in", "leaf.der", "-out", "leaf.pem"]).status.success());
        let time = now().as_second().to_string();
        let what = if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
        let output = self.run(&[
            "verify",
            "-x509_strict",
            "-no-CApath",
            "-no-CAstore",
            "-purpose",
            "sslserver",
            "-attime",
            &time,
            what,
            name,
            "-CAfile",
            "ca.pem",
            "leaf.pem",
        ]);
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }
}

#[test]
fn openssl_accepts_what_is_minted() {
    let Some(openssl) = OpenSsl::new() else { return };
    let authority = authority(&["amazonaws.com", "10.0.0.0/8", "2001:db8::/32"]);
    for name in ["ec2.amazonaws.com", "amazonaws.com", "10.0.0.1", "2001:db8::1"] {
        openssl.verify(&authority, &minted(&authority, name), name).unwrap();
        openssl.verify(&authority, &by_hand(&authority, name), name).unwrap();
    }
    // Another name than the one it was minted for.
    let refused = openssl.verify(&authority, &minted(&authority, "10.0.0.1"), "10.0.0.2").unwrap_err();
    assert!(refused.contains("IP address mismatch"), "{refused}");
}

#[test]
fn openssl_refuses_what_is_outside_the_constraints() {
    let Some(openssl) = OpenSsl::new() else { return };
    let both = ["amazonaws.com", "10.0.0.0/8"];
    let cases: [(&[&str], &[&str]); 4] = [
        (&both, &["example.com", "xamazonaws.com", "192.0.2.1", "2001:db8::1"]),
        // No range is permitted, and so no address; and no domain, and so no name.
        (&["amazonaws.com"], &["10.0.0.1", "2001:db8::1"]),
        (&["10.0.0.0/8"], &["amazonaws.com", "localhost", "::1"]),
        (&["2001:db8::/32"], &["10.0.0.1", "a.test"]),
    ];
    for (permitted, outside) in cases {
        let authority = authority(permitted);
        for name in outside {
            let refused = openssl.verify(&authority, &by_hand(&authority, name), name).unwrap_err();
            let violated = refused.contains("permitted subtree violation")
                || refused.contains("excluded subtree violation");
            assert!(violated, "{name} under {permitted:?}: {refused}");
        }
    }
}

#[test]
fn the_certificates_say_what_they_are_for() {
    let Some(openssl) = OpenSsl::new() else { return };
    let authority = authority(&["amazonaws.com", "10.0.0.0/8"]);
    let extensions = |file: &str| {
        let output = openssl
            .run(&["x509", "-in", file, "-noout", "-subject", "-nameopt", "RFC2253", "-ext", EXTENSIONS]);
        // OpenSSL ends lines with spaces here and there.
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>()
    };
    openssl.verify(&authority, &minted(&authority, "10.0.0.1"), "10.0.0.1").unwrap();
    expect![[r"
        subject=CN=Ordain test
        X509v3 Key Usage: critical
            Certificate Sign, CRL Sign
        X509v3 Extended Key Usage:
            TLS Web Server Authentication
        X509v3 Name Constraints: critical
            Permitted:
              DNS:amazonaws.com
              IP:10.0.0.0/255.0.0.0
            Excluded:
              IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0
        X509v3 Basic Constraints: critical
            CA:TRUE, pathlen:0
    "]]
    .assert_eq(&extensions("ca.pem"));
    expect![[r"
        subject=CN=Ordain interception
        X509v3 Subject Alternative Name:
            IP Address:10.0.0.1
        X509v3 Key Usage: critical
            Digital Signature
        X509v3 Extended Key Usage:
            TLS Web Server Authentication
        X509v3 Basic Constraints: critical
            CA:FALSE
    "]]
    .assert_eq(&extensions("leaf.pem"));

    let output = openssl.run(&["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"]);
    let fingerprint = Certificate::read(authority.certificate_pem()).unwrap().fingerprint();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), format!("sha256 Fingerprint={fingerprint}"));
}

const EXTENSIONS: &str = "basicConstraints,keyUsage,extendedKeyUsage,nameConstraints,subjectAltName";
