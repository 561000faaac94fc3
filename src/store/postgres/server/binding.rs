//! Channel binding: ties the proof of a password to the TLS connection (RFC 5929,
//! `tls-server-end-point`). A man in the middle has another certificate, and cannot pass the proof
//! on.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The hash of a server's certificate, with the hash function of its signature; none for signatures
/// without one, such as Ed25519, and for unknown forms.
pub(super) fn tls_server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature(certificate)? {
        // md5, sha1 and sha256 with RSA; ecdsa with sha1 and sha256. The RFC replaces the two
        // broken hash functions with sha256.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4 | 5 | 11]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1 | 3, 2]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1] => Sha256::digest(certificate).to_vec(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Sha384::digest(certificate).to_vec(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

/// The identifier of a certificate's signature algorithm. A certificate is a sequence of the signed
/// part, the algorithm (a sequence that begins with its identifier), and the signature.
fn signature(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const IDENTIFIER: u8 = 0x06;
    let (parts, _) = element(certificate, SEQUENCE)?;
    let (_, parts) = element(parts, SEQUENCE)?;
    let (algorithm, _) = element(parts, SEQUENCE)?;
    Some(element(algorithm, IDENTIFIER)?.0)
}

/// The content of the first element of a DER text, which must have this tag, and the rest after the
/// element.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk()?;
    // A length below 128 is one byte; otherwise that byte is the number of bytes of the length.
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::*;

    fn hash_length(algorithm: &'static SignatureAlgorithm) -> Option<usize> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
        tls_server_end_point(params.self_signed(&key).unwrap().der()).map(|hash| hash.len())
    }

    #[test]
    fn the_hash_is_the_one_of_the_signature() {
        assert_eq!(hash_length(&rcgen::PKCS_ECDSA_P256_SHA256), Some(32));
        assert_eq!(hash_length(&rcgen::PKCS_ECDSA_P384_SHA384), Some(48));
        assert_eq!(hash_length(&rcgen::PKCS_ED25519), None);
    }

    #[test]
    fn no_text_is_read_past_its_end() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        for length in 0..certificate.len() {
            assert_eq!(tls_server_end_point(&certificate[..length]), None);
        }
    }
}
