//! Percent-encoding in the parts of a URL.

use percent_encoding::percent_decode_str;

/// The advice for an invalid part of a URL: most often, a password contains a delimiter.
pub(super) const ENCODE: &str = "in a user or a password, write @ as %40, / as %2F, : as %3A and % as %25, or \
                      put the password into a file (store.password_file)";

/// Decodes percent-encoding.
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut rest = text.split('%');
    rest.next();
    let is_escape = |part: &str| {
        part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !rest.all(is_escape) {
        return Err(format!("holds a % without two digits behind it: {ENCODE}"));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "holds an escape that is no UTF-8".to_owned())?;
    if decoded.contains('\0') {
        return Err("holds %00, which the server takes nowhere".to_owned());
    }
    Ok(decoded.into_owned())
}
