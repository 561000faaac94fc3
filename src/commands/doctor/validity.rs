//! Reads the validity of a certificate from its DER (RFC 5280, 4.1).

use chrono::{NaiveDateTime, TimeZone as _, Utc};
use cii_exporter::domain::Timestamp;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads the validity of the first certificate of a PEM text: from and until.
pub(super) fn read_pem(pem: &[u8]) -> Option<(Timestamp, Timestamp)> {
    read_der(CertificateDer::from_pem_slice(pem).ok()?.as_ref())
}

/// Reads the validity of a certificate; `None` when the DER is invalid.
pub(super) fn read_der(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (certificate, _) = take_element(der, SEQUENCE)?;
    let (signed, _) = take_element(certificate, SEQUENCE)?;
    let signed = take_element(signed, VERSION).map_or(signed, |(_, rest)| rest);
    // Skips serial number, algorithm and issuer.
    let (_, _, rest) = read_element(signed)?;
    let (_, rest) = take_element(rest, SEQUENCE)?;
    let (_, rest) = take_element(rest, SEQUENCE)?;
    let (validity, _) = take_element(rest, SEQUENCE)?;
    let (from, rest) = read_time(validity)?;
    let (until, _) = read_time(rest)?;
    Some((from, until))
}

/// Reads a moment; returns also the rest.
fn read_time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (tag, text, rest) = read_element(der)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        // Two digits are the years 1950 to 2049 (RFC 5280, 4.1.2.5.1).
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let moment = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some((Utc.from_utc_datetime(&moment), rest))
}

/// Reads an element with this tag; returns its content and the rest.
fn take_element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    read_element(der).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Reads an element; returns its tag, its content and the rest.
fn read_element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // Long form: the low bits are the number of length bytes.
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn pem(from: i32, until: i32) -> String {
        let mut params = CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 2);
        params.not_after = date_time_ymd(until, 3, 4);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn a_certificate_says_from_when_to_when_it_holds() {
        // From 2050 on, the year has four digits.
        for (from, until) in [(1999, 2027), (2026, 2050), (2051, 2100)] {
            let (found_from, found_until) = read_pem(pem(from, until).as_bytes()).unwrap();
            assert_eq!(found_from.to_rfc3339(), format!("{from}-01-02T00:00:00+00:00"));
            assert_eq!(found_until.to_rfc3339(), format!("{until}-03-04T00:00:00+00:00"));
        }
        assert_eq!(read_pem(b"no certificate"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), cut in 0_usize..600) {
            let _ = read_der(&bytes);
            let pem = pem(2026, 2027);
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let _ = read_der(&der[..cut.min(der.len())]);
        }
    }
}
