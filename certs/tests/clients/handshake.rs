//! Whole handshakes between a tunnel and a rustls client that trusts the authority.

use std::sync::Arc;

use ordain_certs::{Authority, LeafError};
use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, HandshakeKind, ServerConfig,
    ServerConnection,
};

use crate::support::{authority, by_hand, client, host, leaves, minted, now, webpki};

/// Lets two ends talk until neither has anything to say, or one of them gives up.
fn talk(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), (&'static str, Error)> {
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
        }
        let heard = server.process_new_packets();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut unread = wire.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
        }
        client.process_new_packets().map_err(|error| ("client", error))?;
        heard.map_err(|error| ("server", error))?;
    }
    Ok(())
}

fn handshake(
    client: &Arc<ClientConfig>,
    asks_for: &str,
    server: &Arc<ServerConfig>,
) -> Result<(ClientConnection, ServerConnection), (&'static str, Error)> {
    let name = ServerName::try_from(asks_for.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    talk(&mut client, &mut server)?;
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

fn tunnel(authority: &Authority, to: &str) -> Arc<ServerConfig> {
    let leaves = leaves();
    leaves.server_config(leaves.resolver(authority, &host(to), now()).unwrap())
}

#[test]
fn a_client_that_trusts_the_authority_talks_to_the_host() {
    let authority = authority(&["amazonaws.com", "10.0.0.0/8", "2001:db8::/32"]);
    for to in ["ec2.eu-west-1.amazonaws.com", "10.1.2.3", "2001:db8::7"] {
        for (offered, spoken) in [(vec!["h2", "http/1.1"], "h2"), (vec!["http/1.1"], "http/1.1")] {
            let mut client = client(&authority);
            client.alpn_protocols = offered.into_iter().map(|name| name.as_bytes().to_vec()).collect();
            let (client, server) = handshake(&Arc::new(client), to, &tunnel(&authority, to)).unwrap();
            assert_eq!(client.alpn_protocol(), Some(spoken.as_bytes()));
            // A client sends no address for a name; the tunnel's own host stood in for it.
            assert_eq!(server.server_name().is_none(), to.parse::<std::net::IpAddr>().is_ok());
            assert_eq!(client.peer_certificates().map(<[_]>::len), Some(2));
        }
    }
}

#[test]
fn a_client_without_a_name_gets_the_host_of_the_tunnel() {
    let authority = authority(&["amazonaws.com"]);
    let mut client = client(&authority);
    client.enable_sni = false;
    let to = "sts.amazonaws.com";
    let (_, server) = handshake(&Arc::new(client), to, &tunnel(&authority, to)).unwrap();
    assert_eq!(server.server_name(), None);
}

#[test]
fn a_client_that_asks_for_another_host_is_refused() {
    let authority = authority(&["amazonaws.com", "10.0.0.0/8"]);
    let client = Arc::new(client(&authority));
    for to in ["sts.amazonaws.com", "10.0.0.1", "amazonaws.com"] {
        let refused = handshake(&client, "ec2.amazonaws.com", &tunnel(&authority, to)).unwrap_err();
        assert_eq!(refused, ("client", Error::AlertReceived(AlertDescription::AccessDenied)), "{to}");
    }
}

#[test]
fn a_session_is_taken_up_again_by_a_tunnel_to_its_host_alone() {
    let authority = authority(&["amazonaws.com"]);
    let client = Arc::new(client(&authority));
    let leaves = leaves();
    let tunnel = |to: &str| leaves.server_config(leaves.resolver(&authority, &host(to), now()).unwrap());
    let kind = |client: &ClientConnection| client.handshake_kind();

    let (first, _) = handshake(&client, "sts.amazonaws.com", &tunnel("sts.amazonaws.com")).unwrap();
    assert_ne!(kind(&first), Some(HandshakeKind::Resumed));
    let (second, _) = handshake(&client, "sts.amazonaws.com", &tunnel("sts.amazonaws.com")).unwrap();
    assert_eq!(kind(&second), Some(HandshakeKind::Resumed));
    let refused = handshake(&client, "sts.amazonaws.com", &tunnel("ec2.amazonaws.com")).unwrap_err();
    assert_eq!(refused, ("client", Error::AlertReceived(AlertDescription::AccessDenied)));
}

#[test]
fn a_host_outside_the_constraints_is_never_minted_and_never_accepted() {
    let authority = authority(&["amazonaws.com", "10.0.0.0/8"]);
    for outside in ["example.com", "xamazonaws.com", "com", "192.0.2.1", "2001:db8::1"] {
        let refused = leaves().leaf(&authority, &host(outside), now()).unwrap_err();
        assert!(matches!(refused, LeafError::NotCovered { .. }), "{outside}: {refused}");
        let refused = webpki(&authority, &by_hand(&authority, outside), outside).unwrap_err();
        let violated = format!("{refused:?}").contains("NameConstraintViolation");
        assert!(violated, "{outside}: {refused:?}");
    }
    // By the same hand, what is inside is accepted: it is the name that is refused above.
    for inside in ["ec2.amazonaws.com", "amazonaws.com", "10.255.0.1"] {
        webpki(&authority, &by_hand(&authority, inside), inside).unwrap();
        webpki(&authority, &minted(&authority, inside), inside).unwrap();
    }
}

#[test]
fn a_leaf_is_for_one_host() {
    let authority = authority(&["amazonaws.com"]);
    let leaf = minted(&authority, "ec2.amazonaws.com");
    for other in ["sts.amazonaws.com", "amazonaws.com", "a.ec2.amazonaws.com"] {
        let refused = webpki(&authority, &leaf, other).unwrap_err();
        let is_for_another = matches!(
            refused,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        );
        assert!(is_for_another, "{other}: {refused:?}");
    }
}

#[test]
fn a_client_that_trusts_another_authority_refuses() {
    let (ours, other) = (authority(&["amazonaws.com"]), authority(&["amazonaws.com"]));
    let refused =
        handshake(&Arc::new(client(&other)), "ec2.amazonaws.com", &tunnel(&ours, "ec2.amazonaws.com"));
    assert!(matches!(refused, Err(("client", Error::InvalidCertificate(_)))));
}
